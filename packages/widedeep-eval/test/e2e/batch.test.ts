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

/** Has the files of a batch answered, as a provider does, and takes the answers into a cache. */
async function answerAll(batch: string, into = cacheDir): Promise<void> {
  const output = `${batch}-output.jsonl`;
  const files = filesOf(batch).map((path) => readFileSync(path, 'utf8'));
  // A provider takes the requests of one model a file.
  for (const text of files) expect(new Set(modelsOf(text)).size).toBe(1);
  const answered = files.map((text) => answerBatch(text, { script: judgeScript }).output);
  writeFileSync(output, answered.join(''));
  const store = openAnswerStore(into);
  await importBatch([output], { store });
  await store.close();
}

const filesOf = (batch: string): string[] =>
  readdirSync(batch, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => join(batch, name));
const modelsOf = (text: string): string[] =>
  text
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { body: { model: string } }).body.model);
const outputs = (dir: string) =>
  bytes(dir)
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { output: unknown }).output);

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
  expect(outputs(out)).toEqual(outputs(live));
});

test.each([
  // Two angles: the first judge is of the first model, the second of the second.
  ['neurons', [12, 0, 0], [24, 24, 0], [24, 24, 0]],
  // The third model would judge a third layer.
  ['layers', [12, 0, 0], [48, 0, 0], [0, 48, 0]],
] as const)('several models, by %s, have a batch each in every step', async (assign, ...steps) => {
  const cache = join(temporaryFolder(), 'cache');
  const models = ['other-model', `third@${server.url}`];
  const jury = ['--set', `jury.models=${JSON.stringify(models)}`, '--set', `jury.assign=${assign}`];
  server.reset();
  for (const expected of [...steps, [0, 0, 0]]) {
    const batch = folder();
    const { code, stdout, stderr } = await judge(
      ...[...jury, '--cache-dir', cache, '--export-batch', batch, '--json'],
    );
    expect(code, stderr).toBe(0);
    const made = JSON.parse(stdout) as { models: { model: string; written: number }[] };
    expect(made.models.map(({ model }) => model)).toEqual(['fake-model', ...models]);
    expect(made.models.map(({ written }) => written)).toEqual(expected);
    await answerAll(batch, cache);
  }
  const [out, live] = [folder(), folder()];
  const judged = await judge(...jury, '--cache-dir', cache, '--out', out);
  expect(judged.code, judged.stderr).toBe(0);
  expect(server.counters.received).toBe(0);
  expect((await judge(...jury, '--cache', 'off', '--out', live)).code).toBe(0);
  expect(outputs(out)).toEqual(outputs(live));
});

test('a model that is named twice is asked once', async () => {
  const batch = folder();
  const twice = ['--set', 'jury.models=["fake-model"]', '--cache-dir', folder()];
  const { code, stdout, stderr } = await judge(...twice, '--export-batch', batch, '--json');
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ written: 12, models: [{ model: 'fake-model' }] });
  expect(filesOf(batch)).toEqual([join(batch, 'batch-0.jsonl')]);
});

test('a batch needs the cache, and a folder of its own', async () => {
  const batch = folder();
  const off = await judge('--cache', 'off', '--export-batch', batch);
  expect([off.code, off.stderr]).toEqual([2, expect.stringContaining('needs the cache')]);
  expect(existsSync(batch)).toBe(false);
  const fresh = ['--cache-dir', folder(), '--export-batch', batch];
  expect((await judge(...fresh)).code).toBe(0);
  for (const more of [[], ['--set', 'jury.models=["other"]']]) {
    const again = await judge(...fresh, ...more);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('a batch already')]);
  }
});
