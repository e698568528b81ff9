import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRunRecord } from '@lab/core';
import { type ListeningProcess, startListening, temporaryFolder } from '@lab/core/testing';
import type { Prediction } from '@lab/llm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Judgement } from '../../src/judgement.js';
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

/** A model of 512 tokens that knows nothing of judging; its template has no system message. */
const asked = () => [
  ...['--data', data, '--base-url', server.address, '--model', 'organism', '--cache', 'off'],
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

describe('the whole chain on a model that cannot judge', { timeout: 60_000 }, () => {
  test('the plan asks nothing', async () => {
    const { code, stdout, stderr } = await runProgram('plan', ...asked(), ...network, '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).plan).toMatchObject({ samples: 3, calls: 24 });
  });

  test('prompts that do not fit end each pair with that status', async () => {
    const run = join(out, 'too-long');
    const { code, stderr } = await runProgram('judge', ...asked(), '--out', run);
    expect([code, stderr]).toEqual([7, expect.stringContaining('3 of 3 pairs have no verdict')]);
    for (const { status } of expectWhole(run)) expect(status).toBe('context-length');
  });

  test('what it says is no verdict, and each pair says so', async () => {
    const { code, stderr } = await runProgram('judge', ...asked(), ...network, '--out', dir);
    expect(code, stderr).toBe(7);
    const rows = expectWhole(dir);
    const reviews = rows.flatMap(({ output }) => output?.layers ?? []);
    expect(reviews.length).toBeGreaterThan(0);
    expect(rows.reduce((sum, { usage }) => sum + usage.completion, 0)).toBeGreaterThan(0);
    expect(rows.every(({ output }) => output === null || output.verdict === null)).toBe(true);
  });

  test('nothing is asked again, and the bytes stay', async () => {
    const before = readFileSync(join(dir, 'predictions.jsonl'), 'utf8');
    expect((await runProgram('judge', '--resume', dir)).code).toBe(7);
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
    expect([ranked.code, ranked.stderr]).toEqual([3, expect.stringContaining('no pair with a')]);
    const gate = await runProgram('evaluate', dir, '--fail-under', 'judged-share=0.5');
    expect(gate.code).toBe(8);
  });

  test.each(['single', 'mec+bpc'])('baseline %s ends each pair with a status', async (name) => {
    const run = join(out, name);
    const { code } = await runProgram('baseline', name, ...asked(), ...brief, '--out', run);
    expect(code).toBe(7);
    expectWhole(run);
  });

  test('a server that has gone ends it at once, to be resumed', async () => {
    const gone = [...asked(), '--max-attempts', '1'];
    await server.close();
    const { code, stderr } = await runProgram('judge', ...gone, '--out', join(out, 'gone'));
    expect([5, 7], stderr).toContain(code);
    expect(existsSync(join(out, 'gone', 'run.json'))).toBe(true);
  });
});
