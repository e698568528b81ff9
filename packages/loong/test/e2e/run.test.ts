import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { type FakeServer, startFakeServer } from '@lab/llm/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

beforeAll(async () => {
  server = await startFakeServer({
    script: {
      rules: [
        { do: 'latency', ms: 15 },
        { do: 'text', text: 'Close.\nRating: [[60]]', when: { contains: 'DATA gold' } },
        { do: 'choose', texts: ['["a"]', '["b"]', '{"low": []}'] },
      ],
    },
  });
  const docs = join(dir, 'docs');
  mkdirSync(docs);
  for (let index = 1; index <= 8; index += 1) {
    const rows = `item,value,unit\nStaff,${37 * index},people\nRevenue,${(1000 * index) % 77},k\n`;
    writeFileSync(join(docs, `report ${index}.csv`), rows);
  }
  const args = ['build', '--docs', docs, '--out', benchmark, '--lengths', '400,600,800,1000'];
  const { code, stderr, stdout } = await loong([...args, '--per-cell', '2']);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/\d+ questions of 16 values in 8 documents/);
});

afterAll(() => server.close());

describe('loong run', () => {
  it('ends with the same bytes after kill -9 and resume', async () => {
    const [whole, killed] = [join(dir, 'whole'), join(dir, 'killed')];
    const first = await loong(runArgs(whole));
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toContain(`next: loong judge ${whole}`);
    const path = join(killed, 'predictions.jsonl');
    expect(await killAtLine(runArgs(killed), { path, lines: 4 })).toBe(true);
    const resumed = await loong(['run', '--resume', killed]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(predictions(killed)).toBe(predictions(whole));
  });

  it('makes of shards what a single run is, and judges and scores it', async () => {
    const shards = join(dir, 'shards');
    for (const shard of ['0/2', '1/2']) {
      const { code, stderr } = await loong([...runArgs(shards), '--shard', shard]);
      expect(code, stderr).toBe(0);
    }
    const merged = join(dir, 'merged');
    const merge = await loong(['merge', shards, '--out', merged]);
    expect(merge.code, merge.stderr).toBe(0);
    expect(predictions(merged)).toBe(predictions(join(dir, 'whole')));
    const judged = await loong(['judge', merged, ...model(), '--json']);
    expect(judged.code, judged.stderr).toBe(0);
    const { metrics, report } = JSON.parse(judged.stdout) as {
      metrics: { averageScore: number; scored: number; n: number };
      report: string;
    };
    expect(metrics).toMatchObject({ averageScore: 60 });
    expect(metrics.scored).toBe(metrics.n);
    expect(existsSync(report)).toBe(true);
    const plan = await loong(['judge', merged, ...model(), '--dry-run', '--json']);
    expect(JSON.parse(plan.stdout)).toMatchObject({ plan: { calls: metrics.n } });
    const rules = await loong(['evaluate', merged, '--rule-scores', '--json']);
    expect(rules.code, rules.stderr).toBe(0);
    const compared = await loong([
      ...['compare', merged, join(dir, 'whole'), '--rule-scores', '--out', join(dir, 'both')],
    ]);
    expect(compared.code, compared.stderr).toBe(0);
    expect(compared.stdout).toMatch(/merged and whole are not told apart/);
  });

  it('plans to the question what it asks, and stops at a budget', async () => {
    const plan = await loong(['plan', '--data', data, '--model', 'm', '--json']);
    expect(plan.code, plan.stderr).toBe(0);
    const { plan: facts } = JSON.parse(plan.stdout) as { plan: { calls: number; rows: number } };
    expect(facts.calls).toBe(facts.rows);
    const out = join(dir, 'budget');
    const stopped = await loong([...runArgs(out), '--max-calls', '3']);
    expect(stopped.code).toBe(6);
    const resumed = await loong(['run', '--resume', out]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(predictions(out)).toBe(predictions(join(dir, 'whole')));
  });
});

describe('what is wrong', () => {
  it.each([
    [['run', '--dat', 'x'], 2, /--data/],
    [['run', '--out', 'x', '--model', 'm'], 2, /--base-url URL is missing/],
    [['plan', '--model', 'm'], 2, /--data FILE is missing[\s\S]*help:/],
    [['check', '--data', 'nowhere.jsonl'], 3, /nowhere\.jsonl/],
    [['run', '--preset', 'window-12k'], 2, /window-128k|window-1m/],
    [['evaluate', dir], 3, /run\.json/],
    [['judge', dir, '--model', 'm'], 3, /run\.json/],
    [['compare', dir], 2, /at least two runs/],
    [['build', '--docs', dir], 2, /--out DIR is missing/],
    [['build', '--docs', join(dir, 'x'), '--out', dir], 3, /no such folder/],
    [['assemble', '--data', 'x'], 2, /--out FILE is missing/],
    [['merge', dir, '--out', join(dir, 'y')], 3, /holds no shards/],
  ] as const)('%j ends with %i and says what to do', async (args, code, text) => {
    const { code: got, stderr } = await loong(args);
    expect(stderr).toMatch(text);
    expect(got).toBe(code);
  });

  it('is told of questions and documents all at once', async () => {
    const broken = join(dir, 'broken.jsonl');
    const [first] = readFileSync(data, 'utf8').split('\n');
    writeFileSync(broken, `${first}\n${first}\n{"level": 9}\nno json\n`);
    const bad = await loong(['check', '--data', broken]);
    expect(bad.code).toBe(3);
    expect(bad.stdout).toMatch(/line 2: the id .* line 1 already/);
    expect(bad.stdout).toMatch(/line 3: level/);
    expect(bad.stdout).toMatch(/line 4: not JSON/);
    const partial = join(dir, 'partial');
    mkdirSync(partial);
    const [one] = readFileSync(join(benchmark, 'docs.jsonl'), 'utf8').split('\n');
    writeFileSync(join(partial, 'docs.jsonl'), `${one}\n`);
    const lacking = await loong(['check', '--data', data, '--docs', partial]);
    expect(lacking.code).toBe(3);
    expect(lacking.stderr).toMatch(
      /7 documents are missing:[\s\S]*docs\.jsonl, a line with "name"/,
    );
    const good = await loong(['check', '--data', data]);
    expect(good.code, good.stderr).toBe(0);
    expect(good.stdout).toMatch(/documents: all 8 are in/);
  });

  it('a text without values is put on a page to be reviewed', async () => {
    const texts = join(dir, 'texts');
    mkdirSync(texts);
    for (const [index, name] of ['one', 'two', 'three'].entries()) {
      writeFileSync(
        join(texts, `${name}.txt`),
        `A memo.\nStaff: ${10 + index}\n${'word '.repeat(80)}`,
      );
    }
    const out = join(dir, 'reviewed-benchmark');
    const offered = await loong(['build', '--docs', texts, '--out', out, '--lengths', '2000']);
    expect(offered.code, offered.stderr).toBe(0);
    expect(offered.stdout).toMatch(/3 values were found in 3 texts[\s\S]*review\.html/);
    const candidates = readFileSync(join(out, 'candidates.csv'), 'utf8').trim().split('\n');
    const decided = candidates.map((line, at) => `${line},${at === 0 ? 'decision' : 'yes'}`);
    const reviewed = join(dir, 'reviewed.csv');
    writeFileSync(reviewed, `${decided.join('\n')}\n`);
    const built = await loong([
      ...['build', '--docs', texts, '--out', out, '--lengths', '2000', '--reviewed', reviewed],
    ]);
    expect(built.code, built.stderr).toBe(0);
    expect(built.stdout).toMatch(/questions of 3 values/);
  });
});
