import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRun, hashFile, readRunRecord, sha256 } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { cutText, readRunDigest } from './run-digest.js';
import { findRunInput } from './run-input.js';
import { commandText, settingRows } from './run-page-record.js';
import { writePageOfRun } from './run-page.js';

const hostile = '</pre></details><script>window.hacked = 1</script>\u001b[31m\u202e"\'&';
const usage = { prompt: 20, completion: 5, cached: 4, reasoning: 1 };
const lines = (records: readonly object[]): string =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('');

interface TestRun {
  readonly rows?: number;
  readonly finished?: number;
  readonly more?: (index: number) => object;
  readonly failures?: readonly object[];
  readonly status?: 'success' | 'interrupted';
  readonly results?: Readonly<Record<string, unknown>>;
}

/** A run of `llm run` in a folder, with its rows and its prompt. */
async function writeRun(options: TestRun = {}): Promise<string> {
  const { rows = 3, finished = rows, more, failures = [], status = 'success', results } = options;
  const parent = temporaryFolder();
  const [data, prompt] = [join(parent, 'rows.jsonl'), join(parent, 'prompt.md')];
  const indices = Array.from({ length: rows }, (_, index) => index);
  writeFileSync(data, lines(indices.map((i) => ({ id: `row ${i}`, text: `${hostile} ${i}` }))));
  writeFileSync(prompt, 'Judge {{text}}.\n');
  const run = createRun({
    ...{ parent, dir: join(parent, 'run'), method: 'llm', label: 'tiny', seed: 0 },
    command: ['llm', 'run', '--extra', `{"it's": 1}`],
    config: {
      ...{ model: 'tiny', server: 'http://h/v1', prompt: sha256('Judge {{text}}.') },
      ...{ system: null, idField: 'id', shard: null, sampling: { temperature: 0, maxTokens: 9 } },
    },
    passed: { data, prompt, model: 'tiny', maxTokens: 9, concurrency: 3, baseUrl: 'http://h/v1' },
    data: [await hashFile(data)],
    packages: { '@lab/llm': '1.2.3' },
  });
  const predictions = indices.slice(0, finished).map((i) => ({
    ...{ id: `row ${i}`, requestHash: 'ab', status: 'ok', output: `${hostile} answer ${i}` },
    ...{ usage, costUsd: 0.001, servedModel: 'tiny-7b', ...more?.(i) },
  }));
  writeFileSync(run.path('predictions.jsonl'), lines(predictions));
  writeFileSync(run.path('failures.jsonl'), lines(failures));
  const times = indices.map((i) => ({
    id: `row ${i}`,
    milliseconds: 100 + i,
    attempts: 1 + (i % 2),
  }));
  writeFileSync(run.path('timings.jsonl'), lines(times));
  run.finish({ status, results });
  return run.dir;
}

async function pageOf(dir: string): Promise<string> {
  const { path } = await writePageOfRun(dir, await findRunInput(readRunRecord(dir)));
  return readFileSync(path, 'utf8');
}

/** What a reader sees, without tags. */
const textOf = (html: string): string =>
  html
    .slice(html.indexOf('<body>'))
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

describe('readRunDigest', () => {
  it('counts what there is, once each', async () => {
    const failure = (id: string, kind: string, httpStatus: number | null) => ({
      ...{ id, requestHash: null, kind, httpStatus, message: `${kind} of ${id}` },
    });
    const dir = await writeRun({
      rows: 6,
      finished: 4,
      more: (i) =>
        i === 3 ? { status: 'refusal', output: null, problem: 'no', body: 'Sorry' } : {},
      failures: [
        failure('row 1', 'server', 500), // finished later
        failure('row 4', 'server', 500),
        failure('row 4', 'server', 503), // asked again
        failure('row 5', 'network', null),
      ],
    });
    appendFileSync(
      join(dir, 'predictions.jsonl'),
      lines([{ id: 'row 0', status: 'other', usage }]),
    );
    const digest = await readRunDigest(dir);
    expect(digest).toMatchObject({
      ...{ finished: 4, failed: 2, cost: { costUsd: 0.004, promptTokens: 80 }, remarks: [] },
      problems: [{ id: 'row 3', status: 'refusal', text: 'Sorry', problem: 'no' }],
      failures: [
        { kind: 'server', httpStatus: 503, count: 1, id: 'row 4' },
        { kind: 'network', httpStatus: null, count: 1, id: 'row 5' },
      ],
    });
    expect([...digest.byStatus]).toEqual([
      ['ok', 3],
      ['refusal', 1],
    ]);
    expect([...digest.byRequests]).toEqual([
      [1, 3],
      [2, 3],
    ]);
    expect(digest.answers.map(({ id }) => id)).toEqual(['row 0', 'row 1', 'row 2']);
  });

  it('leaves out a torn last line and says so; a broken line before it is an error', async () => {
    const dir = await writeRun();
    const path = join(dir, 'predictions.jsonl');
    appendFileSync(path, '{"id":"row 9","sta');
    const { finished, remarks } = await readRunDigest(dir);
    expect(finished).toBe(3);
    expect(remarks).toEqual([expect.stringContaining('is not whole')]);
    appendFileSync(path, '\n{"id":"row 8"}\n');
    await expect(readRunDigest(dir)).rejects.toThrow(/predictions\.jsonl line 4/u);
  });

  it('has no cost where one price is missing', async () => {
    const dir = await writeRun({ more: (i) => (i === 1 ? { costUsd: null } : {}) });
    expect((await readRunDigest(dir)).cost.costUsd).toBeNull();
  });
});

describe('the page of a run', () => {
  it('shows prompt, answers, numbers and settings, and nothing of it runs', async () => {
    const html = await pageOf(await writeRun());
    expect(html).not.toContain('<script>window');
    expect(html).not.toContain('\u001b');
    expect(html.match(/<script/g)).toHaveLength(1);
    const text = textOf(html);
    expect(text).toContain('tiny on rows.jsonl');
    expect(text).toContain('All 3 rows have an answer.');
    expect(text).toContain('0.0030 USD');
    expect(text).toContain('Judge {{text}}.');
    expect(text).toContain('&lt;script&gt;window.hacked = 1&lt;/script&gt;');
    expect(text).toContain('answer 2');
    expect(text).toContain('sampling.maxTokens 9 --max-tokens');
    expect(text).toContain('All 3 answers.');
    expect(text).toContain('model that answered tiny-7b');
  });

  it('of a run that stopped says what is missing', async () => {
    const dir = await writeRun({ rows: 50, finished: 20, status: 'interrupted' });
    const text = textOf(await pageOf(dir));
    expect(text).toContain('20 of 50 rows have an answer; 30 not asked yet.');
    expect(text).toContain('The run is not finished: interrupted.');
    expect(text).toContain('llm run --resume');
  });

  it('does without rows and prompt, and says so', async () => {
    const dir = await writeRun();
    writeFileSync(join(dir, '..', 'rows.jsonl'), '{"id": "other"}\n');
    const text = textOf(await pageOf(dir));
    expect(text).toContain('The rows are not where they were, or changed.');
    expect(text).toContain('answer 2');
    expect(text).toContain('Judge {{text}}.');
  });

  it('of 10,000 rows shows some, evenly spaced, and says so', async () => {
    const dir = await writeRun({ rows: 10_000, more: (i) => ({ output: `answer ${i}.` }) });
    const html = await pageOf(dir);
    expect(statSync(join(dir, 'report.html')).size).toBeLessThan(400_000);
    expect(textOf(html)).toContain('100 of 10,000 answers, evenly spaced');
    expect(html.match(/data-label="Answer"/g)).toHaveLength(100);
    expect(html).toContain('answer 0.');
    expect(html).toMatch(/answer 9[89]\d\d\./u);
  });

  it('of very long texts shows fewer, and says how many', async () => {
    const more = (i: number) => ({
      output: '<&"'.repeat(2000),
      status: i % 2 === 0 ? 'ok' : 'length',
    });
    const dir = await writeRun({ rows: 300, more });
    const html = await pageOf(dir);
    expect(statSync(join(dir, 'report.html')).size).toBeLessThan(1_500_000);
    const said = /([\d,]+) of 150 answers, evenly spaced/.exec(textOf(html));
    expect(Number(said?.[1])).toBe(html.match(/data-label="Answer"/g)?.length);
    expect(Number(said?.[1])).toBeLessThan(100);
    expect(html).toContain('[cut: 2000 of 6000 characters]');
  });

  it('gives structured rates, other models, lost parameters and failed rows', async () => {
    const dir = await writeRun({
      rows: 4,
      finished: 3,
      more: (i) => ({
        output: { verdict: i },
        origin: i === 0 ? 'repaired-by-call' : 'direct',
        servedModel: `model-${i % 2}`,
      }),
      failures: [
        { id: 'row 3', requestHash: null, kind: 'server', httpStatus: 500, message: 'gone' },
      ],
      results: { adaptations: ['seed'], structuredLevel: 'prompt' },
    });
    const text = textOf(await pageOf(dir));
    expect(text).toContain('3 of 4 rows have an answer; 1 failed, to be asked again.');
    expect(text).toMatch(/fits as it came 2 66\.7 %/);
    expect(text).toMatch(/fits after a further call 1 33\.3 %/);
    expect(text).toContain('More than one model answered: model-0 (2 rows), model-1 (1 rows).');
    expect(text).toContain('The server does not take a parameter: seed.');
    expect(text).toContain('answers were asked for by prompt');
    expect(text).toContain('server 500 1 row 3 gone');
  });
});

describe('the record on the page', () => {
  it('quotes the command for a shell and names the origin of settings', async () => {
    const record = readRunRecord(await writeRun());
    expect(commandText(record)).toBe(`llm run --extra '{"it'\\''s": 1}'`);
    const rows = new Map(settingRows(record).map(({ path, ...row }) => [path, row]));
    expect(rows.get('sampling.temperature')).toEqual({ value: 0, origin: 'default' });
    expect(rows.get('server')).toEqual({ value: 'http://h/v1', origin: '--base-url' });
    expect(rows.get('concurrency')).toEqual({ value: 3, origin: '--concurrency' });
    expect(commandText({ ...record, command: [] })).toContain('by a program');
  });
});

describe('cutText', () => {
  it('cuts no letter in two and says what is missing', () => {
    expect(cutText('abc', 3)).toBe('abc');
    expect(cutText('ab😀', 3)).toBe('ab\n[cut: 3 of 4 characters]');
  });
});
