import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRunRecord } from '@lab/core';
import { requireCondition, runProcess, temporaryFolder } from '@lab/core/testing';
import { readCheckpoint } from '@lab/tensor/io';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  ibmea,
  metricsOf,
  onlyRun,
  packageFolder,
  small,
  sourceArguments,
  writePair,
} from './ibmea-process.js';

const mount = (dir: string) => `mount -t tmpfs -o size=2m tmpfs '${dir}'`;

function canMount(): boolean {
  const command = ['-rm', 'sh', '-c', mount(temporaryFolder())];
  return spawnSync('unshare', command, { stdio: 'ignore' }).status === 0;
}

/** Space left on the disk of 2 MB, in KiB: less and less of what a run writes fits. */
const spaces = [0, 8, 48, 130] as const;

describe.skipIf(!requireCondition('tmpfs', canMount()))('a full disk (tmpfs of 2 MB)', () => {
  let data: string;
  let finished: string;
  let undisturbed: string;
  const every = ['--set', 'training.checkpointSeconds=0'];
  const training = (epochs: number) => [
    ...['train', '--data', data, '--epochs', String(epochs)],
    ...['--set', 'evaluation.every=1', ...small],
  ];

  beforeAll(async () => {
    data = await writePair();
    const [short, long] = [temporaryFolder(), temporaryFolder()];
    expect(await ibmea([...training(3), '--out', short])).toMatchObject({ code: 0 });
    expect(await ibmea([...training(6), '--out', long])).toMatchObject({ code: 0 });
    finished = onlyRun(short)!;
    undisturbed = metricsOf(onlyRun(long)!);
  });

  /** Runs shell lines where `$DISK` is a tmpfs; `fill KIB` leaves that much space, `free` all. */
  async function onSmallDisk(lines: readonly string[]) {
    const disk = temporaryFolder();
    const node = [process.execPath, ...sourceArguments].map((word) => `'${word}'`).join(' ');
    const script = [
      mount(disk),
      `DISK='${disk}'`,
      `ibmea() { ${node} "$@"; echo "exit $?" >&2; }`,
      `space() { df -k --output=avail "$DISK" | tail -n 1; }`,
      `fill() { dd if=/dev/zero of="$DISK/filler" bs=1k count=$(( $(space) - $1 )) 2>/dev/null; }`,
      `free() { rm "$DISK/filler"; }`,
      ...lines,
    ].join('\n');
    return runProcess('unshare', ['-rm', 'bash', '-c', script], { cwd: packageFolder });
  }

  const words = (argv: readonly string[]) => argv.map((word) => `'${word}'`).join(' ');

  it.each(spaces)(
    'with %i KiB left is reported; old files stay whole; the run goes on when there is room',
    async (space) => {
      const copy = join(temporaryFolder(), 'run');
      const later = join(temporaryFolder(), 'run');
      const resume = `ibmea ${words(['train', '--quiet', '--epochs', '6', ...every])}`;
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
