import { join } from 'node:path';
import { resolveConfig } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { createScriptedClient, LlmFailure, type Prediction } from '@lab/llm';
import { describe, expect, it } from 'vitest';
import { recordWith } from './__fixtures__/small-benchmark.js';
import type { LoongAnswer } from './answers.js';
import { type Coverage, coverageOf } from './coverage.js';
import { loongConfig } from './config.js';
import { generateAnswers } from './generate.js';
import { namedLibrary } from './library.js';
import { readAnswers } from './read-run.js';
import { scoreLines } from './score-rows.js';
import { scoreRecords } from './scored-record.js';

const documents = [1, 2, 3].map((index) => ({
  ...{ name: `d${index}`, title: `d${index}`, text: 'word '.repeat(100 * index) },
}));
const library = namedLibrary('memory', documents);
const gold = { low: ['d1'], high: ['d2', 'd3'] };
const record = (id: string, doc: readonly string[]) =>
  recordWith({ id, doc, question: `question ${id}`, answer: gold });
const records = [
  record('whole', ['d1', 'd2']),
  record('partly', ['d1', 'd2', 'd3']),
  record('cut', ['d1']),
  record('refused', ['d1']),
  record('later', ['d1']),
];

const failures = { cut: 'truncated', refused: 'refusal' } as const;
const client = createScriptedClient({
  answer: ({ messages }) => {
    const [, id = ''] = /question (\w+)/.exec(messages[0]!.content) ?? [];
    if (id in failures) {
      const kind = failures[id as keyof typeof failures];
      throw new LlmFailure(kind, { kind, isRetryable: false, attempts: 1, body: 'Sorry.' });
    }
    return JSON.stringify(gold);
  },
});

describe('scoreLines', () => {
  it('has the gold answer of every question, and says what its prompt had', async () => {
    const set = ['window.maxLength=450', 'window.reserveOutput=0', 'window.slack=0'];
    const { config } = resolveConfig(loongConfig, { set });
    const out = join(temporaryFolder(), 'run');
    await generateAnswers({ records: records.slice(0, 4), library, client, config, out });
    const answers = readAnswers(out);
    const scored = await scoreRecords({ records, answers, judgements: null, ruleScores: true });
    const lines = scoreLines(scored).trim().split('\n');
    const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows.map(({ id, gold: right }) => [id, right])).toEqual(
      records.map(({ id }) => [id, gold]),
    );
    expect(rows).toMatchObject([
      { status: 'ok', coverage: 'all-documents', score: 100, docsDropped: [] },
      { status: 'ok', coverage: 'some-documents', score: 100, docsDropped: [expect.any(String)] },
      { status: 'truncated', coverage: 'cut-by-server', score: null, missing: 'truncated' },
      { status: 'refusal', coverage: 'not-known', score: 0, response: 'Sorry.', docsUsed: null },
      { status: 'not-answered', coverage: 'not-asked', score: null, missing: 'not-answered' },
    ]);
  });
});

describe('coverageOf', () => {
  const row = (output: Partial<LoongAnswer>) =>
    ({
      status: 'ok',
      output: { docsUsed: [], docsDropped: [], ...output },
    }) as unknown as Prediction<LoongAnswer>;

  it.each<[Coverage, Partial<LoongAnswer>]>([
    ['closed-book', {}],
    ['no-documents', { docsDropped: ['a'] }],
    ['chunks', { docsUsed: ['a'], docsDropped: ['b'], chunks: [] }],
  ])('is %s', (coverage, output) => {
    expect(coverageOf(row(output))).toBe(coverage);
  });
});
