import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerBatch, type FakeServer, startFakeServer } from '../../src/testing.js';
import { llmHere as llm } from './llm-here.js';

const schema = {
  type: 'object',
  properties: { reason: { type: 'string' }, verdict: { enum: ['yes', 'no'] } },
  required: ['reason', 'verdict'],
  additionalProperties: false,
};

describe('a run by batches', () => {
  let server: FakeServer;
  let folder: string;
  beforeAll(async () => {
    server = await startFakeServer();
    folder = temporaryFolder();
    const rows = Array.from({ length: 20 }, (_, index) => ({
      id: `r${index}`,
      text: `row ${index}`,
    }));
    writeFileSync(
      join(folder, 'rows.jsonl'),
      rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
    );
    writeFileSync(join(folder, 'prompt.md'), 'Judge: {{text}}\n');
    writeFileSync(join(folder, 'system.md'), 'You judge.\n');
    writeFileSync(join(folder, 'schema.json'), JSON.stringify(schema));
  });
  afterAll(() => server.close());

  const flags = (): string[] => [
    ...['--data', join(folder, 'rows.jsonl'), '--prompt', join(folder, 'prompt.md')],
    ...['--system', join(folder, 'system.md'), '--base-url', server.url, '--model', 'tiny'],
    ...['--cache-dir', join(folder, 'cache')],
  ];

  it.each([
    ['texts', [], 'text'],
    ['JSON of a schema', ['--schema'], 'json'],
  ] as const)('asks the server nothing any more: %s', async (_, more, name) => {
    const extra = more.length === 0 ? [] : ['--schema', join(folder, 'schema.json')];
    const batch = join(folder, `batch-${name}`);
    const common = [...flags(), ...extra];
    const exported = await llm('export-batch', ...common, '--max-requests', '15', '--out', batch);
    expect(exported).toMatchObject({ code: 0, json: { written: 20, known: 0, doubled: 0 } });
    const files = readdirSync(batch).map((file) => join(batch, file));
    expect(files).toHaveLength(2);
    const output = join(batch, 'output.jsonl');
    writeFileSync(
      output,
      files.map((file) => answerBatch(readFileSync(file, 'utf8')).output).join(''),
    );
    const imported = await llm(
      ...['import-batch', output, '--cache-dir', join(folder, 'cache')],
      ...files.flatMap((file) => ['--batch', file]),
    );
    expect(imported).toMatchObject({ code: 0, json: { imported: 20, failed: 0, missing: 0 } });
    const again = await llm('export-batch', ...common, '--out', `${batch}-again`);
    expect(again.json).toMatchObject({ written: 0, known: 20 });
    const out = join(folder, `run-${name}`);
    const ran = await llm('run', ...common, '--out', out);
    expect(ran).toMatchObject({ code: 0, json: { status: 'success' } });
    expect(server.counters.received).toBe(0);
    const lines = readFileSync(join(out, 'predictions.jsonl'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(20);
  });

  it('exports the run in each form, with prompts while they are there', async () => {
    const run = join(folder, 'run-text');
    for (const format of ['csv', 'inspect', 'junit', 'promptfoo']) {
      const out = join(folder, `run.${format}`);
      const made = await llm('export', run, '--format', format, '--out', out);
      expect(made).toMatchObject({ code: 0, json: { rows: 20, passed: 20 } });
      expect(existsSync(out)).toBe(true);
    }
    const log = JSON.parse(readFileSync(join(folder, 'run.inspect'), 'utf8'));
    expect(log).toMatchObject({
      samples: expect.arrayContaining([
        expect.objectContaining({
          input: [
            { role: 'system', content: 'You judge.' },
            { role: 'user', content: 'Judge: row 0' },
          ],
        }),
      ]),
    });
    const named = await llm('export', run, '--format', 'inspect', '--out', folder);
    expect(named.json['out']).toMatch(/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d_tiny_run-text\.json$/u);
    writeFileSync(join(folder, 'prompt.md'), 'changed {{text}}');
    const out = join(folder, 'changed.json');
    await llm('export', run, '--format', 'inspect', '--out', out);
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({
      samples: expect.arrayContaining([expect.objectContaining({ input: '' })]),
    });
  });

  it('keeps failures apart', async () => {
    const batch = join(folder, 'batch-failed');
    const cache = ['--cache-dir', join(folder, 'other-cache')];
    await llm('export-batch', ...flags(), ...cache, '--out', batch);
    const script = { rules: [{ do: 'refusal', when: { share: 0.5 } } as const] };
    const { output } = answerBatch(readFileSync(join(batch, 'batch-0.jsonl'), 'utf8'), { script });
    const path = join(batch, 'output.jsonl');
    const failures = join(batch, 'failures.jsonl');
    writeFileSync(path, output);
    const made = await llm('import-batch', path, ...cache, '--failures', failures);
    const { failed, imported } = made.json as { failed: number; imported: number };
    expect(failed + imported).toBe(20);
    expect(readFileSync(failures, 'utf8').trim().split('\n')).toHaveLength(failed);
    expect(made.json['byKind']).toEqual({ refusal: failed });
  });

  it('says what is missing', async () => {
    const batch = join(folder, 'batch-text');
    expect(await llm('export-batch', ...flags(), '--out', batch)).toMatchObject({ code: 2 });
    expect(await llm('export', folder)).toMatchObject({ code: 2 });
    expect(await llm('export', folder, '--format', 'csv')).toMatchObject({ code: 2 });
    const out = join(folder, 'x.csv');
    expect(await llm('export', folder, '--format', 'csv', '--out', out)).toMatchObject({ code: 3 });
    expect(await llm('import-batch', join(folder, 'absent.jsonl'))).toMatchObject({ code: 3 });
  });
});
