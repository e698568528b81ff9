import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRun } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspectFile, promptfooFile } from './__fixtures__/foreign-schemas.js';
import { csvTable } from './csv.js';
import { type ExportedRun, readExportedRun } from './exported-run.js';
import { inspectLog, inspectLogName } from './inspect-log.js';
import { junitXml } from './junit.js';
import { promptfooJson } from './promptfoo.js';

const usage = { prompt: 20, completion: 5, cached: 4, reasoning: 1 };
const prediction = (id: string, more: object) => ({
  ...{ id, requestHash: 'ab12', status: 'ok', output: 'yes', usage, costUsd: 0.001 },
  ...more,
});

const lines = (records: readonly object[]): string =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('');

/** A run with a row of each kind. */
function writeRun(): string {
  const dir = temporaryFolder();
  const run = createRun({
    ...{ parent: dir, dir: join(dir, 'run'), method: 'llm', label: 'tiny', seed: 3, command: [] },
    config: {
      model: 'tiny',
      server: 'http://localhost:8000/v1',
      sampling: { temperature: 0, topP: 1, maxTokens: 64 },
    },
    now: () => new Date('2026-03-04T05:06:07.000Z'),
    data: [{ path: 'data/rows.jsonl', sha256: 'cd', bytes: 9 }],
    packages: { '@lab/llm': '1.2.3' },
  });
  writeFileSync(
    run.path('predictions.jsonl'),
    lines([
      prediction('a', { correct: true }),
      prediction('b', { output: '=1+1 <b>&"x"\u0001', correct: 0 }),
      prediction('c', {
        status: 'refusal',
        output: null,
        problem: 'the model refuses',
        costUsd: 0,
      }),
      prediction('d', { status: 'length', output: { verdict: 'no', correct: '1' } }),
    ]),
  );
  const failure = { id: 'e', requestHash: null, kind: 'server', httpStatus: 500, message: 'gone' };
  writeFileSync(run.path('failures.jsonl'), lines([{ ...failure, id: 'a' }, failure, failure]));
  const timing = { milliseconds: 1500, attempts: 2, cachedCalls: 0 };
  writeFileSync(run.path('timings.jsonl'), lines([{ id: 'a', ...timing }]));
  run.finish({ status: 'success', results: { servedModel: 'tiny-7b' } });
  return run.dir;
}

const rows = ['a', 'b', 'c', 'd', 'e'].map((id) => ({
  id,
  question: `is ${id} right?`,
  answer: id === 'a' ? 'yes' : 'no',
  note: null,
}));

const read = (dir: string): Promise<ExportedRun> =>
  readExportedRun(dir, {
    rows,
    messagesOf: (row) => [{ role: 'user', content: String(row['question']) }],
    targetField: 'answer',
    scoreField: 'correct',
  });

let dir: string;
let run: ExportedRun;
beforeAll(async () => {
  dir = writeRun();
  run = await read(dir);
});

const joined = (parts: Iterable<string>): string => [...parts].join('');

describe('readExportedRun', () => {
  it('brings predictions, failures, times and input together', async () => {
    const { model, servedModel, rows: found } = run;
    expect([model, servedModel]).toEqual(['tiny', 'tiny-7b']);
    expect(
      found.map(({ id, status, isFailed, score, isPass }) => [id, status, isFailed, score, isPass]),
    ).toEqual([
      ['a', 'ok', false, 1, true],
      ['b', 'ok', false, 0, false],
      ['c', 'refusal', false, null, false],
      ['d', 'length', false, 1, false],
      ['e', 'server', true, null, false],
    ]);
    expect(found[0]).toMatchObject({
      text: 'yes',
      target: 'yes',
      milliseconds: 1500,
      attempts: 2,
      messages: [{ role: 'user', content: 'is a right?' }],
    });
    expect(found[3]?.text).toBe('{"verdict":"no","correct":"1"}');
  });

  it('does without the input, and names a damaged line', async () => {
    const { rows: found } = await readExportedRun(dir);
    expect(found[0]).toMatchObject({ fields: {}, messages: null, target: null, isPass: true });
    const damaged = writeRun();
    appendFileSync(join(damaged, 'predictions.jsonl'), '{"id": ');
    await expect(readExportedRun(damaged)).rejects.toThrow(/predictions\.jsonl line 5/u);
  });
});

describe('promptfooJson', () => {
  it('has the form that promptfoo imports', async () => {
    const text = joined(promptfooJson(run, { prompt: '{{question}}' }));
    const file = promptfooFile.parse(JSON.parse(text));
    expect(file.results.stats).toMatchObject({ successes: 1, failures: 3, errors: 1 });
    expect(file.results.prompts[0]).toMatchObject({
      raw: '{{question}}',
      metrics: { namedScores: { correct: 2 }, namedScoresCount: { correct: 3 }, cost: 0.003 },
    });
    expect(file.results.results[0]).toMatchObject({
      vars: { id: 'a', question: 'is a right?', answer: 'yes' },
      response: { output: 'yes' },
      success: true,
      failureReason: 0,
      latencyMs: 1500,
      cost: 0.001,
    });
    expect(file.results.results.map((result) => result.failureReason)).toEqual([0, 1, 1, 1, 2]);
    expect(file.results.results[4]?.error).toBe('gone');
  });
});

describe('inspectLog', () => {
  it('has the form that Inspect reads', async () => {
    const text = joined(inspectLog(run));
    const file = inspectFile.parse(JSON.parse(text));
    expect(inspectLogName(run)).toBe('2026-03-04T05-06-07_tiny_run.json');
    expect(Object.keys(file).at(-1)).toBe('samples');
    expect(file).toMatchObject({
      status: 'success',
      eval: {
        task: 'tiny',
        model: 'tiny',
        model_base_url: 'http://localhost:8000/v1',
        dataset: { name: 'rows.jsonl', samples: 5 },
      },
      plan: { config: { temperature: 0, top_p: 1, max_tokens: 64 } },
      results: { total_samples: 5, completed_samples: 4 },
      stats: { model_usage: { tiny: { input_tokens: 80, output_tokens: 20 } } },
    });
    expect(file.results.scores[0]?.metrics['mean']?.value).toBeCloseTo(2 / 3, 10);
    const [a, , c, d, e] = file.samples;
    expect(a).toMatchObject({
      input: 'is a right?',
      target: 'yes',
      output: { model: 'tiny-7b', completion: 'yes', time: 1.5 },
      scores: { correct: { value: 1 } },
    });
    expect(a?.messages.map((message) => message.role)).toEqual(['user', 'assistant']);
    expect(c?.output).toMatchObject({ error: 'the model refuses' });
    expect(d?.output.choices[0]?.stop_reason).toBe('max_tokens');
    expect(e).toMatchObject({ error: { message: 'gone' }, output: { choices: [] } });
  });

  it('writes a run without rows', async () => {
    const empty = { ...run, rows: [] };
    expect(inspectFile.parse(JSON.parse(joined(inspectLog(empty)))).samples).toEqual([]);
    expect(promptfooFile.parse(JSON.parse(joined(promptfooJson(empty)))).results.results).toEqual(
      [],
    );
  });
});

describe('junitXml', () => {
  it('lists rows as tests', async () => {
    const text = joined(junitXml(run));
    const golden = new URL('./__fixtures__/junit.xml', import.meta.url);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });
});

describe('csvTable', () => {
  it('lists rows with their input, and disarms formulas', async () => {
    const [heading, a, b] = joined(csvTable(run)).split('\r\n');
    expect(heading).toBe(
      'id,status,output,target,score,pass,problem,promptTokens,completionTokens,cachedTokens,' +
        'reasoningTokens,costUsd,milliseconds,attempts,requestHash,isEstimated,' +
        'input.question,input.answer,input.note',
    );
    expect(a).toBe('a,ok,yes,yes,1,true,,20,5,4,1,0.001,1500,2,ab12,false,is a right?,yes,');
    expect(b).toContain(`b,ok,"'=1+1 <b>&""x""\u0001",no,0,false,,`);
    const raw = joined(csvTable(run, { isRaw: true })).split('\r\n')[2];
    expect(raw).toContain('b,ok,"=1+1 <b>');
    const [row] = run.rows;
    const numbers = { ...run, rows: [{ ...row!, text: '-3.5e2' }] };
    expect(joined(csvTable(numbers)).split('\r\n')[1]).toContain('a,ok,-3.5e2,');
  });
});
