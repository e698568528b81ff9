import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRunRecord } from '@lab/core';
import { type ListeningProcess, startListening, temporaryFolder } from '@lab/core/testing';
import type { Prediction } from '@lab/llm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Judgement, reviewsOf } from '../../src/judgement.js';
import { runProgram, writePairs } from './run-program.js';

// Another package of this repository, as a process: nothing here depends on it.
const transformer = fileURLToPath(
  new URL('../../../transformer/bin/transformer.js', import.meta.url),
);
const data = writePairs(3);
const out = temporaryFolder();
const dir = join(out, 'network');
let server: ListeningProcess;

beforeAll(async () => {
  const model = ['example:organism', '--served-name', 'organism', '--port', '0'];
  const env = { LAB_TENSOR_HOME: '/none', NO_COLOR: '1' };
  server = await startListening(process.execPath, [transformer, 'serve', ...model], { env });
});
afterAll(() => server.close());

/** A small model that knows nothing of judging; its template has no system message. */
const asked = (pairs: string = data) => [
  ...['--data', pairs, '--base-url', server.address, '--model', 'organism', '--cache', 'off'],
  ...['--set', 'judge.system=prompt', '--set', 'evaluation.resamples=100'],
];
const texts = '{question}\n{answer1}\n{answer2}\n';
const families = join(out, 'families.json');
const family = {
  ...{ system: 'Judge.', roles: texts, first: `${texts}{role}` },
  deeper: `${texts}{own}{others}{role}`,
};
writeFileSync(families, JSON.stringify({ brief: family }));
const brief = [
  ...['--families', families, '--family', 'brief', '--set', 'judge.maxTokens=16'],
  ...['--set', 'judge.maxTokensAfterCut=16', '--set', 'judge.parseAttempts=1'],
];
const network = [
  ...[...brief, '--set', 'roles.kind=library', '--set', 'roles.library=["Use","Truth"]'],
];

const rowsOf = (run: string) =>
  readFileSync(join(run, 'predictions.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Prediction<Judgement>);
const isEmpty = (path: string) => !existsSync(path) || readFileSync(path, 'utf8') === '';
/** Every pair has one line with a status, and no call is left open. */
function expectWhole(run: string): Prediction<Judgement>[] {
  const rows = rowsOf(run);
  expect(rows.map(({ id }) => id)).toEqual(['p0', 'p1', 'p2']);
  for (const { status } of rows) {
    expect(['ok', 'unparsed', 'context-length', 'length', 'refusal']).toContain(status);
  }
  expect(isEmpty(join(run, 'failures.jsonl'))).toBe(true);
  expect(readRunRecord(run).status).toBe('success');
  return rows;
}

/** How a run ends: with 7 where more than half of its pairs have no verdict. */
function endOf(rows: readonly Prediction<Judgement>[]): number {
  const judged = rows.filter(({ output }) => (output?.verdict ?? null) !== null).length;
  return 2 * judged >= rows.length ? 0 : 7;
}

describe('the whole chain on a model that cannot judge', () => {
  test('the plan asks nothing', async () => {
    const { code, stdout, stderr } = await runProgram('plan', ...asked(), ...network, '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).plan).toMatchObject({ samples: 3, calls: 24 });
  });

  test('prompts that do not fit end each pair with that status', async () => {
    const [run, long] = [join(out, 'too-long'), join(out, 'long.csv')];
    const words = 'word '.repeat(300);
    const rows = [0, 1, 2].map((at) => `p${at},${words}${at},One says ${at}.,Two says nothing.`);
    writeFileSync(long, `id,question,answer1,answer2\n${rows.join('\n')}\n`);
    const { code, stderr } = await runProgram('judge', ...asked(long), '--out', run);
    expect([code, stderr]).toEqual([7, expect.stringContaining('3 of 3 pairs have no verdict')]);
    for (const { status } of expectWhole(run)) expect(status).toBe('context-length');
  });

  test('what it says is read as scores or as none, and each pair says which', async () => {
    const { code, stderr } = await runProgram('judge', ...asked(), ...network, '--out', dir);
    const rows = expectWhole(dir);
    expect(code, stderr).toBe(endOf(rows));
    const layers = rows.flatMap(({ output }) => output?.layers ?? []);
    const reviews = layers.flatMap(({ neurons }) => neurons.flatMap(reviewsOf));
    expect(reviews.length).toBeGreaterThan(0);
    for (const { u, v, problem } of reviews) {
      const isScored = [u, v].every((score) => score !== null && score >= 1 && score <= 10);
      expect(isScored || (u === null && v === null && problem !== undefined)).toBe(true);
    }
    expect(rows.reduce((sum, { usage }) => sum + usage.prompt, 0)).toBeGreaterThan(0);
  });

  test('nothing is asked again, and the bytes stay', async () => {
    const before = readFileSync(join(dir, 'predictions.jsonl'), 'utf8');
    expect((await runProgram('judge', '--resume', dir)).code).toBe(endOf(rowsOf(dir)));
    expect(readFileSync(join(dir, 'predictions.jsonl'), 'utf8')).toBe(before);
  });

  test('it is evaluated beside a baseline, shown, and put before people', async () => {
    const length = join(out, 'length');
    const baseline = await runProgram('baseline', 'length', '--data', data, '--out', length);
    expect(baseline.code, baseline.stderr).toBe(0);
    for (const argv of [
      ['evaluate', dir, '--against', length, '--resamples', '100'],
      ['report', dir],
      ['report', dir, '--sample', 'p1'],
      ['annotate', dir, '--share', '0.5', '--out', join(out, 'annotations.csv')],
    ]) {
      const { code, stdout, stderr } = await runProgram(...argv);
      expect(code, `${argv.join(' ')}: ${stderr}`).toBe(0);
      expect(stdout).not.toBe('');
    }
    const ranked = await runProgram('rank', dir);
    const hasVerdict = rowsOf(dir).some(({ output }) => (output?.verdict ?? null) !== null);
    expect(ranked.code, ranked.stderr).toBe(hasVerdict ? 0 : 3);
    // No share is above 1: a gate that no run passes.
    const gate = await runProgram('evaluate', dir, '--fail-under', 'judged-share=1.1');
    expect(gate.code).toBe(8);
  });

  test.each(['single', 'mec+bpc'])('baseline %s ends each pair with a status', async (name) => {
    const run = join(out, name);
    const { code, stderr } = await runProgram('baseline', name, ...asked(), ...brief, '--out', run);
    expect(code, stderr).toBe(endOf(expectWhole(run)));
  });

  test('a server that has gone ends it at once, to be resumed', async () => {
    const gone = [...asked(), '--max-attempts', '1'];
    await server.close();
    const { code, stderr } = await runProgram('judge', ...gone, '--out', join(out, 'gone'));
    expect([5, 7], stderr).toContain(code);
    expect(existsSync(join(out, 'gone', 'run.json'))).toBe(true);
  });
});
