import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { type FakeScript, type FakeServer, startFakeServer } from '@lab/llm/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run as here } from '../../src/__fixtures__/run-program.js';
import { killAtLine, loong } from './loong-process.js';

const dir = temporaryFolder();
const benchmark = join(dir, 'benchmark');
const data = join(benchmark, 'questions.jsonl');
let server: FakeServer;
const model = () => ['--base-url', server.url, '--model', 'fake-model', '--cache', 'off'];
const runArgs = (out: string) => [
  ...['run', '--data', data, ...model(), '--concurrency', '2', '--out', out],
];
const predictions = (out: string) => readFileSync(join(out, 'predictions.jsonl'), 'utf8');
const script: FakeScript = {
  rules: [
    { do: 'latency', ms: 15 },
    { do: 'text', text: 'Close.\nRating: [[60]]', when: { contains: 'DATA gold' } },
    { do: 'choose', texts: ['["a"]', '["b"]', '{"low": []}'] },
  ],
};

beforeAll(async () => {
  server = await startFakeServer({ script });
  const docs = join(dir, 'docs');
  mkdirSync(docs);
  for (let index = 1; index <= 8; index += 1) {
    const rows = `item,value,unit\nStaff,${37 * index},people\nRevenue,${(1000 * index) % 77},k\n`;
    writeFileSync(join(docs, `report ${index}.csv`), rows);
  }
  const args = ['build', '--docs', docs, '--out', benchmark, '--lengths', '400,600,800,1000'];
  const { code, stderr, stdout } = await here([...args, '--per-cell', '2']);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/\d+ questions of 16 values in 8 documents/);
});

beforeEach(() => server.useScript(script));
afterAll(() => server.close());

describe('loong run', () => {
  it('ends with the same bytes after kill -9 and resume', async () => {
    const [whole, killed] = [join(dir, 'whole'), join(dir, 'killed')];
    const first = await loong(runArgs(whole));
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toContain(`next: loong judge ${whole}`);
    // Questions behind these are under way for longer than anybody waits.
    server.reset();
    server.useScript({
      rules: [{ do: 'latency', ms: 600_000, when: { requests: [9, 1000] } }, ...script.rules!],
    });
    const path = join(killed, 'predictions.jsonl');
    expect(await killAtLine(runArgs(killed), { path, lines: 4 })).toBe(true);
    server.useScript(script);
    const resumed = await loong(['run', '--resume', killed]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(predictions(killed)).toBe(predictions(whole));
  });

  it('makes of shards what a single run is, and judges and scores it', async () => {
    const shards = join(dir, 'shards');
    for (const shard of ['0/2', '1/2']) {
      const { code, stderr } = await here([...runArgs(shards), '--shard', shard]);
      expect(code, stderr).toBe(0);
    }
    const merged = join(dir, 'merged');
    const merge = await here(['merge', shards, '--out', merged]);
    expect(merge.code, merge.stderr).toBe(0);
    expect(predictions(merged)).toBe(predictions(join(dir, 'whole')));
    const judged = await here(['judge', merged, ...model(), '--json']);
    expect(judged.code, judged.stderr).toBe(0);
    const { metrics, report } = JSON.parse(judged.stdout) as {
      metrics: { averageScore: number; scored: number; n: number };
      report: string;
    };
    expect(metrics).toMatchObject({ averageScore: 60 });
    expect(metrics.scored).toBe(metrics.n);
    expect(existsSync(report)).toBe(true);
    const plan = await here(['judge', merged, ...model(), '--dry-run', '--json']);
    expect(JSON.parse(plan.stdout)).toMatchObject({ plan: { calls: metrics.n } });
    const rules = await here(['evaluate', merged, '--rule-scores', '--json']);
    expect(rules.code, rules.stderr).toBe(0);
    const compared = await here([
      ...['compare', merged, join(dir, 'whole'), '--rule-scores', '--out', join(dir, 'both')],
    ]);
    expect(compared.code, compared.stderr).toBe(0);
    expect(compared.stdout).toMatch(/merged and whole are not told apart/);
  });

  it('is scored by the mean of several judges, set beside each other', async () => {
    const merged = join(dir, 'merged');
    server.useScript({
      rules: [
        { do: 'text', text: 'Half.\nRating: [[40]]', when: { contains: 'DATA gold', share: 0.5 } },
        { do: 'text', text: 'All.\nRating: [[100]]', when: { contains: 'DATA gold' } },
      ],
    });
    const second = ['--base-url', server.url, '--model', 'second', '--cache', 'off'];
    const judged = await here(['judge', merged, ...second, '--json']);
    expect(judged.code, judged.stderr).toBe(0);
    const meanOf = (text: string) =>
      (JSON.parse(text) as { metrics: { averageScore: number } }).metrics.averageScore;
    const unclear = await here(['evaluate', merged]);
    expect([unclear.code, unclear.stderr]).toEqual([2, expect.stringContaining('by 2 judges')]);
    const nobody = await here(['evaluate', merged, '--judge', 'third']);
    expect([nobody.code, nobody.stderr]).toEqual([3, expect.stringContaining('no judge "third"')]);
    const names = ['--judge', 'fake-model', '--judge', join(merged, 'judged-by-second')];
    const both = await here(['evaluate', merged, ...names, '--json']);
    expect(both.code, both.stderr).toBe(0);
    expect(meanOf(both.stdout)).toBeCloseTo((60 + meanOf(judged.stdout)) / 2, 9);
    const { judges, report } = JSON.parse(both.stdout) as { judges: unknown[]; report: string };
    expect(judges).toMatchObject([{ first: 'fake-model', second: 'second', meanJudge: 60 }]);
    expect(readFileSync(report, 'utf8')).toContain('A score is the mean of the judges');
    const shown = await here(['evaluate', merged, ...names]);
    expect(shown.stdout).toMatch(/fake-model, second +\d+ +60\.0, /);
    const compared = await here([
      ...['compare', merged, merged, '--judge', 'second', '--out', join(dir, 'same')],
    ]);
    expect(compared.code, compared.stderr).toBe(0);
  });

  it('plans to the question what it asks, and stops at a budget', async () => {
    const plan = await here(['plan', '--data', data, '--model', 'm', '--json']);
    expect(plan.code, plan.stderr).toBe(0);
    const { plan: facts } = JSON.parse(plan.stdout) as { plan: { calls: number; rows: number } };
    expect(facts.calls).toBe(facts.rows);
    const out = join(dir, 'budget');
    const stopped = await here([...runArgs(out), '--max-calls', '3']);
    expect(stopped.code).toBe(6);
    const resumed = await here(['run', '--resume', out]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(predictions(out)).toBe(predictions(join(dir, 'whole')));
  });
});
