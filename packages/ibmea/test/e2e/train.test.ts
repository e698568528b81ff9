import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRunRecord } from '@lab/core';
import { runProcess, temporaryFolder } from '@lab/core/testing';
import { writeAlignmentFolder } from '@lab/graph';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallData } from '../../src/__fixtures__/small-task.js';
import {
  ibmea,
  metricsOf,
  onlyRun,
  packageFolder,
  small,
  programArguments,
  writePair,
} from './ibmea-process.js';

let data: string;
beforeAll(async () => {
  data = await writePair();
});

interface Result {
  readonly run: string;
  readonly status: string;
  readonly metrics: Record<string, Record<string, number>>;
}

describe('train', () => {
  it('prints one object under --json; the same seed gives the same bytes', async () => {
    const argv = ['train', '--data', data, '--epochs', '6', '--json', '--quiet', ...small];
    const runs: Result[] = [];
    for (let run = 0; run < 2; run += 1) {
      const { code, stdout, stderr } = await ibmea([...argv, '--out', temporaryFolder()]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.trim().split('\n')).toHaveLength(1);
      runs.push(JSON.parse(stdout) as Result);
    }
    const [first, second] = runs;
    expect(first!.status).toBe('success');
    for (const direction of ['forward', 'backward']) {
      expect(Object.keys(first!.metrics[direction]!)).toEqual(
        expect.arrayContaining(['hits@1', 'hits@5', 'hits@10', 'hits@50', 'mrr', 'meanRank']),
      );
    }
    expect(first!.metrics).toEqual(second!.metrics);
    expect(metricsOf(first!.run)).toBe(metricsOf(second!.run));
    expect(metricsOf(first!.run)).not.toMatch(/seconds|"time|20\d\d-\d\d/);
    const predictions = (run: string) => readFileSync(join(run, 'predictions.jsonl'), 'utf8');
    expect(predictions(first!.run)).toBe(predictions(second!.run));
  });

  it('not on a terminal: no carriage returns, a line a tenth, the result on stdout', async () => {
    const argv = ['train', '--data', data, '--epochs', '30', '--out', temporaryFolder(), ...small];
    const { code, stdout, stderr } = await ibmea(argv);
    expect(code).toBe(0);
    expect(`${stdout}${stderr}`).not.toMatch(/[\r\u001B]/);
    const lines = stderr.split('\n').filter((line) => line.startsWith('train  epoch'));
    expect(lines.length).toBeGreaterThanOrEqual(10);
    expect(lines.length).toBeLessThanOrEqual(14);
    expect(lines[0]).toMatch(/^train {2}epoch \d+\/30 {2}loss [\d.]+ .*s\/epoch {2}ETA .* [MG]B$/);
    expect(stdout).toMatch(/^method +direction +H@1/);
    expect(stdout).not.toContain('train  epoch');
  });

  it('a data error: exit 3, the line with a mark, what to do, no stack', async () => {
    const folder = join(temporaryFolder(), 'bad');
    await writeAlignmentFolder(folder, smallData());
    appendFileSync(join(folder, 'triples_2'), '1\t2\n');
    const argv = ['train', '--data', folder, '--out', temporaryFolder(), ...small];
    const { code, stdout, stderr } = await ibmea(argv);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/error: .*triples_2 line \d+: expected .*found 2 field/);
    expect(stderr).toMatch(/\n {2}\| 1 2\n/);
    expect(stderr).toMatch(/\n {2}help: /);
    expect(stderr).not.toMatch(/\n\s+at /);
    const debug = await ibmea([...argv, '--debug']);
    expect(debug.stderr).toMatch(/\n\s+at /);
    expect(debug.stderr).toMatch(/backend: /);
  });

  it('a wrong flag and no command exit with 2', async () => {
    const wrong = await ibmea(['train', '--epocs', '3']);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--epochs')]);
    expect((await ibmea([])).code).toBe(2);
  });
});

type Ranking = Record<'forward' | 'backward', { readonly 'hits@1': number }>;

describe('demo', () => {
  it('beats its baseline, with a meaning and a picture, in less than ten CPU seconds', async () => {
    const out = temporaryFolder();
    const { code, stdout, seconds } = await timed(['demo', '--out', out]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^H@1 [\d.]+ %: /);
    expect(stdout).toMatch(/SYNTHETIC/);
    const { results } = readRunRecord(onlyRun(out)!);
    const { metrics, baseline } = results as unknown as Record<string, Ranking>;
    for (const direction of ['forward', 'backward'] as const) {
      expect(metrics![direction]['hits@1']).toBeGreaterThan(baseline![direction]['hits@1'] + 0.01);
    }
    const page = /^picture: (.*)$/m.exec(stdout)![1]!;
    expect(readFileSync(page, 'utf8')).toContain('<svg');
    // The package comes compiled; here its sources are compiled at each start.
    const start = await timed(['--help']);
    expect(seconds - start.seconds).toBeLessThan(10);
  });
});

/** Runs the program in a shell that tells the CPU seconds it took. */
async function timed(args: readonly string[]) {
  const words = [process.execPath, ...programArguments(), ...args].map((word) => `'${word}'`);
  const command = ['-c', `${words.join(' ')}; times`];
  const { code, stdout } = await runProcess('bash', command, { cwd: packageFolder });
  // The last line of `times`: user and system time of the shell's children.
  const [user, system] = stdout.trim().split('\n').at(-1)!.split(' ').map(secondsOf);
  return { code, stdout, seconds: user! + system! };
}

/** `0m3.812s` as seconds. */
function secondsOf(text: string): number {
  const [minutes, seconds] = text.replace('s', '').split('m').map(Number);
  return 60 * minutes! + seconds!;
}
