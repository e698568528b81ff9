import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { importBatch, openAnswerStore } from '@lab/llm';
import { answerBatch, type FakeServer, startFakeServer } from '@lab/llm/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { judgeScript, runProgram, writePairs } from './run-program.js';

let server: FakeServer;
const data = writePairs();
const cacheDir = join(temporaryFolder(), 'cache');
const folder = () => join(temporaryFolder(), 'run');
const judge = (...more: readonly string[]) =>
  runProgram(
    ...['judge', '--data', data, '--base-url', server.url, '--model', 'fake-model'],
    ...['--set', 'evaluation.resamples=100', ...more],
  );
const bytes = (dir: string) => readFileSync(join(dir, 'predictions.jsonl'), 'utf8');

beforeAll(async () => {
  server = await startFakeServer({ script: judgeScript });
});
afterAll(() => server.close());

/** Has the files of a batch answered, as a provider does, and takes the answers into the cache. */
async function answerAll(batch: string): Promise<void> {
  const output = `${batch}-output.jsonl`;
  const files = readdirSync(batch).map((name) => readFileSync(join(batch, name), 'utf8'));
  const answered = files.map((text) => answerBatch(text, { script: judgeScript }).output);
  writeFileSync(output, answered.join(''));
  const store = openAnswerStore(cacheDir);
  await importBatch([output], { store });
  await store.close();
}

test('a network is judged by a batch for each of its steps, without a call', async () => {
  const written: number[] = [];
  for (let step = 0; step < 4; step += 1) {
    const batch = folder();
    const { code, stdout, stderr } = await judge(
      ...['--cache-dir', cacheDir, '--export-batch', batch, '--json'],
    );
    expect(code, stderr).toBe(0);
    written.push((JSON.parse(stdout) as { written: number }).written);
    await answerAll(batch);
  }
  // The angles, the judges alone, their discussion, and nothing more.
  expect(written).toEqual([12, 12 * 2 * 2, 12 * 2 * 2, 0]);
  expect(server.counters.received).toBe(0);
  const out = folder();
  const judged = await judge('--cache-dir', cacheDir, '--out', out);
  expect(judged.code, judged.stderr).toBe(0);
  expect(server.counters.received).toBe(0);
  const live = folder();
  expect((await judge('--cache', 'off', '--out', live)).code).toBe(0);
  const outputs = (dir: string) =>
    bytes(dir)
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { output: unknown }).output);
  expect(outputs(out)).toEqual(outputs(live));
});

test('a batch needs the cache and one model', async () => {
  const batch = folder();
  const off = await judge('--cache', 'off', '--export-batch', batch);
  expect([off.code, off.stderr]).toEqual([2, expect.stringContaining('needs the cache')]);
  const jury = await judge('--set', 'jury.models=["other"]', '--export-batch', batch);
  expect([jury.code, jury.stderr]).toEqual([2, expect.stringContaining('asks one model')]);
  expect(existsSync(batch)).toBe(false);
});
