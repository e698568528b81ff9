import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { importBatch, openAnswerStore } from '@lab/llm';
import { answerBatch, type FakeScript, type FakeServer, startFakeServer } from '@lab/llm/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run as loong } from '../../src/__fixtures__/run-program.js';

const dir = temporaryFolder();
const benchmark = join(dir, 'benchmark');
const data = join(benchmark, 'questions.jsonl');
const cacheDir = join(dir, 'cache');
const script: FakeScript = {
  rules: [
    { do: 'text', text: 'Close.\nRating: [[60]]', when: { contains: 'DATA gold' } },
    { do: 'recall', pattern: 'password is ([\\w-]+)', when: { contains: 'The password is' } },
    { do: 'choose', texts: ['["a"]', '["b"]', '{"low": []}'] },
  ],
};
let server: FakeServer;
const model = () => ['--base-url', server.url, '--model', 'fake-model'];

beforeAll(async () => {
  server = await startFakeServer({ script });
  const docs = join(dir, 'docs');
  mkdirSync(docs);
  for (let index = 1; index <= 6; index += 1) {
    writeFileSync(join(docs, `report ${index}.csv`), `item,value\nStaff,${37 * index}\n`);
  }
  const args = ['build', '--docs', docs, '--out', benchmark, '--lengths', '400,800'];
  const { code, stderr } = await loong([...args, '--per-cell', '1']);
  expect(code, stderr).toBe(0);
});
afterAll(() => server.close());
beforeEach(() => {
  server.useScript(script);
  server.reset();
});

/** Writes a batch, has it answered as a provider does, and imports it; its requests. */
async function throughBatch(name: string, args: readonly string[]): Promise<number> {
  const batch = join(dir, name);
  const made = await loong([...args, '--cache-dir', cacheDir, '--export-batch', batch, '--json']);
  expect(made.code, made.stderr).toBe(0);
  const { written } = JSON.parse(made.stdout) as { written: number };
  const files = readdirSync(batch).map((file) => readFileSync(join(batch, file), 'utf8'));
  const output = `${batch}.jsonl`;
  writeFileSync(output, files.map((text) => answerBatch(text, { script }).output).join(''));
  const store = openAnswerStore(cacheDir);
  await importBatch([output], { store });
  await store.close();
  return written;
}

describe('provider batches', () => {
  it('answer and judge all questions, and the server is asked nothing', async () => {
    const run = ['run', '--data', data, ...model()];
    const out = join(dir, 'run');
    const questions = readFileSync(data, 'utf8').trim().split('\n').length;
    expect(await throughBatch('answers', run)).toBe(questions);
    expect(await throughBatch('answers-again', run)).toBe(0);
    const ran = await loong([...run, '--cache-dir', cacheDir, '--out', out]);
    expect(ran.code, ran.stderr).toBe(0);
    const judge = ['judge', out, ...model()];
    expect(await throughBatch('judgements', judge)).toBe(questions);
    const judged = await loong([...judge, '--cache-dir', cacheDir, '--json']);
    expect(judged.code, judged.stderr).toBe(0);
    expect(JSON.parse(judged.stdout)).toMatchObject({ metrics: { averageScore: 60 } });
    expect(server.counters.received).toBe(0);
  });
});

describe('prompts that are long', () => {
  const long = join(dir, 'long');
  const questions = join(long, 'questions.jsonl');
  const run = (out: string) =>
    loong(['run', '--data', questions, ...model(), '--cache', 'off', '--out', join(dir, out)]);
  beforeAll(() => {
    mkdirSync(long);
    writeFileSync(questions, readFileSync(data, 'utf8').split('\n').slice(0, 3).join('\n'));
    const docs = readFileSync(join(benchmark, 'docs.jsonl'), 'utf8').trim().split('\n');
    const longer = docs.map((line) => {
      const document = JSON.parse(line) as { text: string };
      return JSON.stringify({ ...document, text: `${document.text}\n${'word '.repeat(2000)}` });
    });
    writeFileSync(join(long, 'docs.jsonl'), `${longer.join('\n')}\n`);
  });

  it('are preceded by one that shows whether the server reads it whole', async () => {
    const { code, stderr } = await run('whole');
    expect(code, stderr).toBe(0);
    expect(server.counters.received).toBe(3 + 1);
    expect(stderr).not.toContain('warning');
  });

  it('end the run at once where the server cuts them without saying so', async () => {
    server.useScript({
      rules: [
        { do: 'truncate', tokens: 500 },
        { do: 'text', text: 'Eight.' },
      ],
    });
    const { code, stderr } = await run('cut');
    expect([code, stderr]).toEqual([5, expect.stringMatching(/the server cuts a prompt of/)]);
    expect(server.counters.received).toBe(1);
  });

  it('bring a warning where the server forgets their beginning', async () => {
    server.useScript({ rules: [{ do: 'text', text: 'Eight.' }] });
    const { code, stderr } = await run('forgets');
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/warning: the beginning of a prompt of .* was not repeated/);
  });
});
