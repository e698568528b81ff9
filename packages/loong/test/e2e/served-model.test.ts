import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRunRecord } from '@lab/core';
import { type ListeningProcess, startListening, temporaryFolder } from '@lab/core/testing';
import type { Prediction } from '@lab/llm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run as loong } from '../../src/__fixtures__/run-program.js';
import { isJudged, type LoongAnswer } from '../../src/answers.js';
import type { Judgement } from '../../src/judgement.js';

// Another package of this repository, as a process: nothing here depends on it.
const transformer = fileURLToPath(
  new URL('../../../transformer/bin/transformer.js', import.meta.url),
);
const dir = temporaryFolder();
const benchmark = join(dir, 'benchmark');
const data = join(benchmark, 'questions.jsonl');
const first = join(dir, 'first');
let server: ListeningProcess;

beforeAll(async () => {
  const model = ['example:organism', '--served-name', 'organism', '--port', '0'];
  const env = { LAB_TENSOR_HOME: '/none', NO_COLOR: '1' };
  const started = startListening(process.execPath, [transformer, 'serve', ...model], { env });
  const docs = join(dir, 'docs');
  mkdirSync(docs);
  for (const [at, name] of ['ant', 'bee', 'cat', 'dog'].entries()) {
    writeFileSync(join(docs, `${name}.csv`), `item,value\nSize,${7 * at + 3}\n`);
  }
  const args = ['build', '--docs', docs, '--out', benchmark, '--lengths', '400'];
  server = await started;
  const { code, stderr } = await loong([...args, '--per-cell', '1']);
  expect(code, stderr).toBe(0);
});
afterAll(() => server.close());

/** A model of 512 tokens, counted by itself, that knows nothing of documents. */
const asked = () => ['--base-url', server.address, '--model', 'organism', '--cache', 'off'];
const small = [
  ...['--max-length', '512', '--set', 'window.tokenizer=server', '--set', 'window.slack=0'],
  ...['--set', 'window.reserveOutput=20', '--set', 'generation.maxTokens=20'],
];
const run = (out: string, ...more: readonly string[]) =>
  loong(['run', '--data', data, '--limit', '4', ...asked(), ...small, '--out', out, ...more]);

/** Every question has one line with a status, and no call is left open. */
function expectWhole<Output = LoongAnswer>(out: string, n = 4): Prediction<Output>[] {
  const lines = readFileSync(join(out, 'predictions.jsonl'), 'utf8').trim().split('\n');
  const rows = lines.map((line) => JSON.parse(line) as Prediction<Output>);
  expect(rows).toHaveLength(n);
  expect(new Set(rows.map(({ id }) => id)).size).toBe(n);
  for (const { status } of rows) {
    expect(['ok', 'length', 'context-length', 'no-docs-fit', 'unparsed']).toContain(status);
  }
  const failures = join(out, 'failures.jsonl');
  expect(!existsSync(failures) || readFileSync(failures, 'utf8') === '').toBe(true);
  expect(readRunRecord(out).status).toBe('success');
  return rows;
}

describe('the whole chain on a model that cannot read documents', () => {
  it('answers each question within the window that it counts itself', async () => {
    const { code, stderr } = await run(first);
    expect(code, stderr).toBe(0);
    const rows = expectWhole(first);
    const answered = rows.filter(({ output }) => (output?.finishReason ?? null) !== null);
    expect(answered.length).toBeGreaterThan(0);
    for (const { output, usage } of answered) {
      // Our count of the prompt is the server's own, to the token.
      expect(usage.prompt).toBe(output!.promptTokens);
      expect(usage.prompt + 20).toBeLessThanOrEqual(512);
    }
  });

  it('plans to the token what it spends', async () => {
    const args = ['plan', '--data', data, '--limit', '4', ...asked(), ...small, '--json'];
    const { code, stdout, stderr } = await loong(args);
    expect(code, stderr).toBe(0);
    const { plan } = JSON.parse(stdout) as { plan: { calls: number; promptTokens: number } };
    const { usage } = readRunRecord(first);
    expect(plan.promptTokens).toBe((usage as { promptTokens: number }).promptTokens);
  });

  it('asks nothing again on resume, and keeps the bytes', async () => {
    const bytes = readFileSync(join(first, 'predictions.jsonl'), 'utf8');
    const resumed = await loong(['run', '--resume', first]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(readFileSync(join(first, 'predictions.jsonl'), 'utf8')).toBe(bytes);
  });

  it('ends questions that do not fit, and says so', async () => {
    const out = join(dir, 'too-long');
    const { code, stderr } = await run(
      ...[out, '--max-length', '100000', '--set', 'generation.maxTokens=100000'],
    );
    expect(code, stderr).toBe(0);
    for (const { status } of expectWhole(out)) expect(status).toBe('context-length');
  });

  it('retrieves by its vectors, and asks without documents', async () => {
    const vectors = ['--embed-model', 'organism', '--cache-dir', join(dir, 'cache')];
    for (const [name, more] of [
      ['rag', ['--rag', 'embeddings', '--top-k', '2', ...vectors]],
      ['closed', ['--closed-book']],
    ] as const) {
      const out = join(dir, name);
      const { code, stderr } = await run(out, ...more);
      expect(code, stderr).toBe(0);
      expectWhole(out);
    }
  });

  it('is judged, scored by rule, shown and compared', async () => {
    const settings = ['--set', 'judge.maxTokens=16', '--set', 'judge.judgeEmpty=true'];
    const judged = await loong(['judge', first, ...asked(), ...settings]);
    // The judge's prompt is longer than its context: no question has a score.
    expect(judged.code, judged.stderr).toBe(7);
    const answered = expectWhole(first).filter(isJudged);
    const judgements = join(first, 'judged-by-organism');
    const rows = expectWhole<Judgement>(judgements, answered.length);
    expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(answered.map(({ id }) => id)));
    for (const { status, output } of rows) {
      expect(['context-length', 'unparsed']).toContain(status);
      expect(output?.score ?? null).toBeNull();
    }
    for (const args of [
      ['evaluate', first, '--rule-scores'],
      ['report', first, '--rule-scores'],
      ['compare', first, join(dir, 'rag'), '--rule-scores', '--out', join(dir, 'both')],
    ]) {
      const { code, stdout, stderr } = await loong(args);
      expect(code, `${args.join(' ')}: ${stderr}`).toBe(0);
      expect(stdout).not.toBe('');
    }
  });

  it('ends at once where the server has gone, to be resumed', async () => {
    await server.close();
    const out = join(dir, 'gone');
    const cl100k = ['--set', 'window.tokenizer=cl100k_base', '--max-attempts', '1'];
    const { code, stderr } = await run(out, ...cl100k);
    expect([5, 7], stderr).toContain(code);
    expect(existsSync(join(out, 'run.json'))).toBe(true);
  });
});
