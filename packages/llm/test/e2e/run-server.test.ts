import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRunRecord } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FakeScript, type FakeServer, startFakeServer } from '../../src/testing.js';
import { llmHere, sayHere } from './llm-here.js';

let server: FakeServer;
let folder: string;

beforeAll(async () => {
  server = await startFakeServer();
});
afterAll(() => server.close());
beforeEach(() => {
  folder = temporaryFolder();
  vi.stubEnv('LAB_CACHE', join(folder, 'cache'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  server.reset();
});

const path = (name: string) => join(folder, name);
const serve = (rules: FakeScript['rules'], more: FakeScript = {}) =>
  server.useScript({ ...more, rules });

const schema = {
  type: 'object',
  properties: { reason: { type: 'string' }, verdict: { enum: ['yes', 'no'] } },
  required: ['reason', 'verdict'],
  additionalProperties: false,
};

/** Files of a run of some rows, and its flags. */
function flags(out: string, texts: readonly string[] = ['a', 'b', 'c', 'd']): string[] {
  const lines = texts.map((text, index) => `${JSON.stringify({ id: `r${index}`, text })}\n`);
  writeFileSync(path('rows.jsonl'), lines.join(''));
  writeFileSync(path('prompt.md'), 'Is it so: {{text}}');
  writeFileSync(path('schema.json'), JSON.stringify(schema));
  return [
    ...['run', '--data', path('rows.jsonl'), '--prompt', path('prompt.md'), '--out', path(out)],
    ...['--base-url', server.url, '--model', 'fake-model', '--concurrency', '1'],
  ];
}
const withSchema = (out: string) => [...flags(out), '--schema', path('schema.json')];
const doctor = () => llmHere('doctor', '--base-url', server.url, '--model', 'fake-model');
const predictions = (out: string) =>
  readFileSync(join(path(out), 'predictions.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const capabilitiesOf = (out: string) =>
  (readRunRecord(path(out)).backend as { capabilities: object }).capabilities;

/** A server that takes a schema and answers without regard to it. */
const schemaless: FakeScript['rules'] = [
  { do: 'no-json-schema' },
  { do: 'text', text: '{"reason":"r","verdict":"yes"}', when: { contains: 'JSON Schema' } },
  { do: 'schema-ignored' },
];

describe('what llm doctor found', () => {
  it('decides how a run tells the schema, is kept in run.json and in each row', async () => {
    serve(schemaless);
    expect((await doctor()).code).toBe(0);
    server.reset();
    const { code, stderr, json } = await llmHere(...withSchema('run'));
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('answers as data by json-object, as "llm doctor" found');
    expect(server.counters).toMatchObject({ received: 4, rejected: 0 });
    expect(predictions('run').map(({ level, origin }) => [level, origin])).toEqual(
      Array(4).fill(['json-object', 'direct']),
    );
    expect(capabilitiesOf('run')).toMatchObject({ structured: 'json-object', tokenize: 'none' });
    expect(json['results']).toMatchObject({ structured: { n: 4, direct: 1, failed: 0 } });
  });

  it('does not change a run that has begun, nor the hashes of its answers', async () => {
    serve([]);
    const stopped = await llmHere(...withSchema('run'), '--max-calls', '2');
    expect([stopped.code, predictions('run').length]).toEqual([6, 2]);
    expect(capabilitiesOf('run')).toMatchObject({ structured: 'json-schema' });
    serve(schemaless);
    await doctor();
    serve([]);
    const { code, stderr } = await llmHere('run', '--resume', path('run'), '--max-calls', '9');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('answers as data by json-schema, as before');
    expect(new Set(predictions('run').map(({ level }) => level))).toEqual(new Set(['json-schema']));
    // The same answers are found by whoever asks for them in the same way.
    server.reset();
    const again = await llmHere(...withSchema('again'), '--structured', 'json-schema');
    expect([again.code, server.counters.received]).toEqual([0, 0]);
  });

  it('gives way to --structured, which belongs to the run', async () => {
    serve([{ do: 'text', text: '{"reason":"r","verdict":"no"}' }]);
    const first = [...withSchema('run'), '--structured', 'json-object'];
    expect((await llmHere(...first)).code).toBe(0);
    expect(predictions('run')[0]).toMatchObject({ level: 'json-object' });
    const other = await llmHere(...withSchema('run'), '--resume', '--structured', 'prompt');
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('another structured')]);
    expect((await llmHere(...withSchema('x'), '--structured', 'yaml')).code).toBe(2);
  });

  it('is what export-batch goes by, so that a run finds the answers', async () => {
    serve(schemaless);
    await doctor();
    const batch = withSchema('batch').slice(1, -4);
    const exported = await llmHere('export-batch', ...batch, '--schema', path('schema.json'));
    expect(exported).toMatchObject({ code: 0, json: { written: 4 } });
    const [first = ''] = readFileSync(join(path('batch'), 'batch-0.jsonl'), 'utf8').split('\n');
    expect(first).toContain('JSON Schema');
    expect(first).toContain('"response_format":{"type":"json_object"}');
  });

  it('notes rows without an answer that fits, and how they were asked', async () => {
    serve([{ do: 'schema-ignored' }, { do: 'words', count: 3 }]);
    const { code, json } = await llmHere(...withSchema('run'));
    expect(code).toBe(0);
    const [row] = predictions('run');
    expect(row).toMatchObject({ status: 'parse', output: null, level: 'json-schema' });
    // The request, and the one that showed the model what is wrong.
    expect(row?.['usage']).toMatchObject({ completion: 6 });
    expect(json['results']).toMatchObject({ structured: { n: 4, failed: 1 } });
  });
});

describe('a server that cuts long prompts', () => {
  const long = ['short', 'long text here '.repeat(900)];

  it('ends the run before its first long row, to be resumed', async () => {
    serve([{ do: 'truncate', tokens: 1000 }]);
    const { code, json, stderr } = await llmHere(...flags('run', long));
    expect([code, json['status']]).toEqual([5, 'error']);
    expect(stderr).toContain('cuts a prompt of');
    expect(predictions('run').map(({ id }) => id)).toEqual(['r0']);
    serve([{ do: 'recall', pattern: 'zebra-[0-9]+' }]);
    expect((await llmHere('run', '--resume', path('run'))).code).toBe(0);
    expect(predictions('run')).toHaveLength(2);
  });

  it('is asked once for a run, and not for what the cache has', async () => {
    serve([{ do: 'recall', pattern: 'zebra-[0-9]+' }]);
    expect((await llmHere(...flags('run', [...long, ...long]))).stderr).not.toContain('warning');
    // Two prompts, each once, and the one that looks.
    expect(server.counters.received).toBe(3);
    await llmHere(...flags('again', [...long, ...long]));
    expect(server.counters.received).toBe(3);
  });

  it('is said where the beginning is not repeated', async () => {
    serve([{ do: 'words', count: 3 }]);
    const { code, stderr } = await llmHere(...flags('run', long));
    expect(code).toBe(0);
    expect(stderr).toMatch(/warning: the beginning of a prompt of [\d,]+ tokens was not repeated/);
  });
});

describe('what a server hides', () => {
  const rows = [
    'short',
    ...Array.from({ length: 4 }, (_, i) => `${i} ${'some text here '.repeat(350)}`),
  ];

  it('is said: silent truncation, missing usage, and an unknown price as n/a', async () => {
    // Only the rows' own prompts are cut: the one that looks for cuts is read.
    serve([
      { do: 'recall', pattern: 'zebra-[0-9]+', when: { contains: 'zebra' } },
      { do: 'truncate', tokens: 600, when: { contains: '1 some' } },
      { do: 'no-usage', when: { contains: 'short' } },
    ]);
    const { code, json } = await llmHere(...flags('run', rows));
    expect(code).toBe(0);
    const [short, first, second] = predictions('run');
    expect(short).toMatchObject({ status: 'ok', usage: { isEstimated: true }, costUsd: null });
    expect(first).toMatchObject({ status: 'ok', usage: { reasoning: 0 } });
    expect(first?.['usage']).not.toHaveProperty('isEstimated');
    expect(second).toMatchObject({ status: 'truncated', output: null });
    expect(json).toMatchObject({ results: { byStatus: { ok: 4, truncated: 1 } } });
    expect(json).toMatchObject({ usage: { costUsd: null } });
    const { stdout, stderr } = await sayHere(...flags('again', rows));
    expect(stdout).toMatch(/^cost +n\/a$/m);
    expect(stderr).not.toContain('0.0000 USD');
    expect((await sayHere(...flags('plan', rows), '--dry-run')).stdout).toMatch(/^cost +n\/a$/m);
  });

  it('ends the run with 5 where three prompts in a row are cut', async () => {
    serve([
      { do: 'recall', pattern: 'zebra-[0-9]+', when: { contains: 'zebra' } },
      { do: 'truncate', tokens: 600, when: { contains: 'some' } },
    ]);
    const many = Array.from({ length: 12 }, (_, i) => `${i} ${'some text here '.repeat(350)}`);
    const { code, stderr } = await llmHere(...flags('run', many), '--cache', 'off');
    expect([code, stderr]).toEqual([5, expect.stringContaining('cut the prompt')]);
    const statuses = predictions('run').map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set(['truncated']));
    // Three, and those that were in flight then.
    expect(statuses.length).toBeGreaterThanOrEqual(3);
    expect(statuses.length).toBeLessThanOrEqual(6);
  });
});

describe('--record and --replay', () => {
  it('keep answers and give them again, without a server', async () => {
    serve([]);
    const recorded = path('recorded');
    for (const [name, more] of [
      ['text', []],
      ['json', ['--schema', path('schema.json')]],
    ] as const) {
      const asked = await llmHere(...flags(name), ...more, '--record', recorded, '--cache', 'off');
      expect(asked.code, asked.stderr).toBe(0);
      const paid = server.counters.received;
      const out = ['--out', path(`${name}-again`), '--replay', recorded];
      const data = ['--data', path('rows.jsonl'), '--prompt', path('prompt.md')];
      const again = await llmHere('run', ...data, '--model', 'fake-model', ...more, ...out);
      expect(again.code, again.stderr).toBe(0);
      expect(server.counters.received).toBe(paid);
      const outputs = (run: string) => predictions(run).map(({ id, output }) => [id, output]);
      expect(outputs(`${name}-again`)).toEqual(outputs(name));
    }
    const changed = flags('changed', ['other']);
    const missing = await llmHere(...changed, '--replay', recorded);
    expect([missing.code, missing.stderr]).toEqual([5, expect.stringContaining('nearest one')]);
    expect((await llmHere(...changed, '--replay', recorded, '--record', 'x')).code).toBe(2);
  });
});
