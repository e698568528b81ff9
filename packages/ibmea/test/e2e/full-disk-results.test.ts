import { cpSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readRunRecord } from '@lab/core';
import { hasSmallDisk, temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { ibmea, metricsOf, onlyRun, small, writePair } from './ibmea-process.js';
import { onSmallDisk, words } from './small-disk.js';

/** Bytes that a file takes on the disk, in KiB. */
const kibOf = (path: string) => 4 * Math.ceil(statSync(path).size / 4096);

/** The text of every file in a folder, by name. */
const textsOf = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => [name, readFileSync(join(folder, name), 'utf8')]),
  );

/** What stands on stderr when the disk was full at this file. */
function expectFull(stderr: string, file: string): void {
  expect(stderr).toMatch(/(^|\n)exit 3\n/);
  expect(stderr).toMatch(/error: .*disk full \(ENOSPC\)/);
  expect(stderr).toContain(file);
  expect(stderr).toMatch(/\n {2}help: /);
}

describe.skipIf(!hasSmallDisk())('a disk full at a result (needs tmpfs, 2 MB)', () => {
  let data: string;
  let finished: string;
  const training = () => ['train', '--data', data, ...small, '--set', 'evaluation.every=1'];

  beforeAll(async () => {
    data = await writePair(200);
    const out = temporaryFolder();
    const { code, stderr } = await ibmea([...training(), '--epochs', '12', '--out', out]);
    expect(code, stderr).toBe(0);
    finished = onlyRun(out)!;
  });

  it('timings.jsonl: reported, and the run goes on when there is room', async () => {
    const whole = temporaryFolder();
    expect((await ibmea([...training(), '--epochs', '14', '--out', whole])).code).toBe(0);
    const later = join(temporaryFolder(), 'run');
    const resume = 'ibmea train --quiet --epochs 14 --resume "$DISK/run"';
    const { stderr } = await onSmallDisk([
      `cp -r '${finished}' "$DISK/run"`,
      'touch "$PAGE/timings.jsonl"',
      'ln -sf "$PAGE/timings.jsonl" "$DISK/run/timings.jsonl"',
      'dd if=/dev/zero of="$PAGE/filler" bs=1k count=4 2>/dev/null',
      resume,
      '[ -s "$PAGE/timings.jsonl" ] && echo "half a line" >&2',
      'rm "$PAGE/filler"',
      resume,
      `cp -rL "$DISK/run" '${later}'`,
    ]);
    expectFull(stderr, '/run/timings.jsonl');
    expect(stderr).not.toContain('half a line');
    expect(stderr).toMatch(/exit 0\n$/);
    expect(metricsOf(later)).toBe(metricsOf(onlyRun(whole)!));
    expect(readRunRecord(later).status).toBe('success');
    expect(readFileSync(join(later, 'timings.jsonl'), 'utf8').trim().split('\n')).toHaveLength(2);
  });

  it.each(['confidence.json', 'predictions.jsonl'])(
    '%s: reported, and every old file stays as it was',
    async (file) => {
      // The confidence comes first, and is replaced where there is room for it alone.
      const space = file === 'confidence.json' ? 0 : kibOf(join(finished, 'confidence.json'));
      const copy = join(temporaryFolder(), 'run');
      const { stderr } = await onSmallDisk([
        `cp -r '${finished}' "$DISK/run"`,
        `fill ${space}`,
        'ibmea report --quiet "$DISK/run"',
        `cp -r "$DISK/run" '${copy}'`,
        'free',
        'ibmea report --quiet "$DISK/run"',
      ]);
      expectFull(stderr, `/run/${file}`);
      expect(stderr).toMatch(/exit 0\n$/);
      expect(textsOf(copy)).toEqual(textsOf(finished));
    },
  );

  it('the vectors: whole files or none', async () => {
    const whole = temporaryFolder();
    const argv = ['align', '--quiet', '--run', finished, '--out', join(temporaryFolder(), 'p.csv')];
    expect((await ibmea([...argv, '--embeddings', whole])).code).toBe(0);
    const left = kibOf(join(whole, 'left.npy'));
    const copies = ['left.npy', 'left.csv'].map((file) => ({
      file,
      space: file === 'left.npy' ? 0 : left,
      copy: join(temporaryFolder(), 'vectors'),
    }));
    for (const { file, space, copy } of copies) {
      const { stderr } = await onSmallDisk([
        `fill ${space}`,
        `ibmea ${words(argv)} --embeddings "$DISK/vectors"`,
        `cp -r "$DISK/vectors" '${copy}'`,
      ]);
      expectFull(stderr, `/vectors/${file}`);
      const texts = textsOf(copy);
      expect(Object.keys(texts)).toEqual(space === 0 ? [] : ['left.npy']);
      expect(textsOf(whole)).toMatchObject(texts);
    }
  });

  it('files of an experiment: finished cells are kept, and the same command goes on', async () => {
    const whole = temporaryFolder();
    const argv = ['experiment', '--quiet', '--data', data, ...small, '--epochs', '1'];
    const only = [...argv, '--only', 'encoder'];
    const first = await ibmea([...only, '--out', whole]);
    expect(first.code, first.stderr).toBe(0);
    const kept = temporaryFolder();
    cpSync(join(whole, 'cells.jsonl'), join(kept, 'cells.jsonl'));
    for (const [from, space, file] of [
      [temporaryFolder(), 0, 'cells.jsonl'],
      [kept, 0, 'encoder.md'],
      [kept, 4, 'encoder.svg'],
    ] as const) {
      const copies = ['full', 'later'].map((name) => join(temporaryFolder(), name));
      const { stderr } = await onSmallDisk([
        `cp -r '${from}' "$DISK/results"`,
        `fill ${space}`,
        `ibmea ${words(only)} --out "$DISK/results"`,
        `cp -r "$DISK/results" '${copies[0]}'`,
        'free',
        `ibmea ${words(only)} --out "$DISK/results"`,
        `cp -r "$DISK/results" '${copies[1]}'`,
      ]);
      expectFull(stderr, `/results/${file}`);
      for (const [name, text] of Object.entries(textsOf(copies[0]!))) {
        if (name === 'cells.jsonl') expect(textsOf(whole)[name]!.startsWith(text)).toBe(true);
        else expect(text).toBe(textsOf(whole)[name]);
      }
      expect(stderr).toMatch(/exit 0\n$/);
      expect(textsOf(copies[1]!)).toEqual(textsOf(whole));
    }
  });
});
