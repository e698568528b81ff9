import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRunRecord } from '@lab/core';
import { hasSmallDisk, temporaryFolder } from '@lab/core/testing';
import { readCheckpoint } from '@lab/tensor/io';
import { beforeAll, describe, expect, it } from 'vitest';
import { ibmea, metricsOf, onlyRun, small, writePair } from './ibmea-process.js';
import { onSmallDisk, words } from './small-disk.js';

/**
 * Space left on the disk, in KiB, and seconds between checkpoints: so that each kind of file in
 * turn is the first that does not fit.
 */
const cases = [
  { space: 0, seconds: 0, file: 'lock' },
  { space: 4, seconds: 0, file: 'run.json' },
  { space: 20, seconds: 60, file: 'metrics.jsonl' },
  { space: 48, seconds: 0, file: 'checkpoint/' },
  { space: 130, seconds: 0, file: 'report.html' },
] as const;

describe.skipIf(!hasSmallDisk())('a full disk (needs tmpfs, 2 MB)', () => {
  let data: string;
  let finished: string;
  let undisturbed: string;
  const training = (epochs: number) => [
    ...['train', '--data', data, '--epochs', String(epochs)],
    ...['--set', 'evaluation.every=1', ...small],
  ];

  beforeAll(async () => {
    data = await writePair();
    const [short, long] = [temporaryFolder(), temporaryFolder()];
    expect(await ibmea([...training(3), '--out', short])).toMatchObject({ code: 0 });
    expect(await ibmea([...training(40), '--out', long])).toMatchObject({ code: 0 });
    finished = onlyRun(short)!;
    undisturbed = metricsOf(onlyRun(long)!);
  });

  it.each(cases)(
    '$file does not fit: reported, old files stay whole, the run goes on when there is room',
    async ({ space, seconds, file }) => {
      const copy = join(temporaryFolder(), 'run');
      const later = join(temporaryFolder(), 'run');
      const flags = ['--epochs', '40', '--set', `training.checkpointSeconds=${seconds}`];
      const resume = `ibmea ${words(['train', '--quiet', ...flags])}`;
      const { stderr } = await onSmallDisk([
        `cp -r '${finished}' "$DISK/run"`,
        `fill ${space}`,
        `${resume} --resume "$DISK/run"`,
        `cp -r "$DISK/run" '${copy}'`,
        'free',
        `${resume} --resume "$DISK/run"`,
        `cp -r "$DISK/run" '${later}'`,
      ]);
      const [full, after] = stderr.split(/exit (?=\d)/).slice(1);
      expect(full, stderr).toMatch(/^3\n/);
      expect(stderr).toMatch(/error: .*disk full \(ENOSPC\)/);
      expect(stderr).toContain(`/run/${file}`);
      expect(stderr).toMatch(/\n {2}help: /);
      expect(after, stderr).toMatch(/^0\n/);
      // Nothing of the old run is torn: record, checkpoint, page; its rows are a prefix.
      readRunRecord(copy);
      const { meta } = await readCheckpoint(join(copy, 'checkpoint'));
      expect((meta as { epoch: number }).epoch).toBeGreaterThanOrEqual(3);
      expect(undisturbed.startsWith(metricsOf(copy))).toBe(true);
      expect(readFileSync(join(copy, 'report.html'), 'utf8').trimEnd()).toMatch(/<\/html>$/);
      expect(metricsOf(later)).toBe(undisturbed);
      expect(readRunRecord(later).status).toBe('success');
    },
  );

  it('a new run and a file of pairs that do not fit leave no half of them', async () => {
    const { stderr } = await onSmallDisk([
      'fill 0',
      `ibmea ${words(training(1))} --quiet --out "$DISK/runs"`,
      `ibmea align --quiet --run '${finished}' --out "$DISK/pairs.csv"`,
      `[ -e "$DISK/pairs.csv" ] && echo "pairs are there" >&2`,
      `find "$DISK" -name '*.tmp*' >&2`,
    ]);
    expect(stderr.match(/exit 3\n/g), stderr).toHaveLength(2);
    expect(stderr.match(/disk full|no space/gi)?.length, stderr).toBeGreaterThanOrEqual(2);
    expect(stderr).not.toContain('pairs are there');
    expect(existsSync(finished)).toBe(true);
  });
});
