import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRunRecord } from '@lab/core';
import { runProcess, temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  loginmea,
  metricsOf,
  onlyRun,
  packageFolder,
  predictionsOf,
  small,
  programArguments,
  writePair,
} from './loginmea-process.js';

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
  it('on the shipped pair prints one object under --json, far above chance', async () => {
    const sizes = ['model.size=32', 'model.rank=2', 'evaluation.baseline=false'];
    const argv = ['train', '--data', 'example:en-fr-3k', '--epochs', '6', '--json', '--quiet'];
    const flags = sizes.flatMap((entry) => ['--set', entry]);
    const { code, stdout, stderr } = await loginmea([
      ...argv,
      ...flags,
      ...['--out', temporaryFolder()],
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim().split('\n')).toHaveLength(1);
    const { status, run, metrics } = JSON.parse(stdout) as Result;
    expect(status).toBe('success');
    expect(metricsOf(run).trim().split('\n')).toHaveLength(6);
    for (const direction of ['forward', 'backward']) {
      expect(metrics[direction]!['count']).toBe(2100);
      expect(metrics[direction]!['hits@1']).toBeGreaterThan(0.2); // chance: 1 / 2100
    }
  });

  it('with the same seed gives the same bytes, without times', async () => {
    const argv = ['train', '--data', data, '--epochs', '4', '--json', '--quiet', ...small];
    const runs: Result[] = [];
    for (let run = 0; run < 2; run += 1) {
      const { code, stdout, stderr } = await loginmea([...argv, '--out', temporaryFolder()]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      runs.push(JSON.parse(stdout) as Result);
    }
    const [first, second] = runs;
    expect(first!.metrics).toEqual(second!.metrics);
    expect(metricsOf(first!.run)).toBe(metricsOf(second!.run));
    expect(metricsOf(first!.run)).not.toMatch(/seconds|"time|20\d\d-\d\d/);
    expect(predictionsOf(first!.run)).toBe(predictionsOf(second!.run));
  });

  it('a data error: exit 3, the line with a mark, what to do, no stack', async () => {
    const folder = await writePair();
    appendFileSync(join(folder, 'triples_2'), '1\t2\n');
    const argv = ['train', '--data', folder, '--out', temporaryFolder(), ...small];
    const { code, stdout, stderr } = await loginmea(argv);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/error: .*triples_2 line \d+: expected .*found 2 field/);
    expect(stderr).toMatch(/\n {2}\| 1 2\n/);
    expect(stderr).toMatch(/\n {2}help: /);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('a wrong flag exits with 2 and the nearest right one', async () => {
    const { code, stdout, stderr } = await loginmea(['train', '--epocs', '3']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('--epochs');
  });

  it('modalities that the data lack altogether exit with 2, by name', async () => {
    const argv = ['train', '--data', data, '--out', temporaryFolder(), ...small];
    const { code, stderr } = await loginmea([...argv, '--set', 'data.modalities=[image]']);
    expect(code, stderr).toBe(2);
    expect(stderr).toContain('data.modalities (image)');
  });
});

type Ranking = Record<'forward' | 'backward', { readonly 'hits@1': number }>;

describe('demo', () => {
  it('beats its baseline and chance, with a meaning and a picture', async () => {
    const out = temporaryFolder();
    const argv = [...programArguments(), 'demo', '--out', out];
    const { code, stdout } = await runProcess(process.execPath, argv, { cwd: packageFolder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^H@1 [\d.]+ %: /);
    expect(stdout).toMatch(/SYNTHETIC/);
    const { results } = readRunRecord(onlyRun(out)!);
    const { metrics, baseline, testPairs } = results as unknown as Record<string, Ranking> & {
      readonly testPairs: number;
    };
    expect(testPairs).toBeGreaterThan(100);
    for (const direction of ['forward', 'backward'] as const) {
      const found = metrics![direction]['hits@1'];
      expect(found).toBeGreaterThan(50 / testPairs);
      expect(found).toBeGreaterThan(baseline![direction]['hits@1']);
    }
    const page = /^picture: (.*)$/m.exec(stdout)![1]!;
    expect(readFileSync(page, 'utf8')).toContain('<svg');
  });
});
