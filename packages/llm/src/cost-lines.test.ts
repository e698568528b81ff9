import { expect, it } from 'vitest';
import { costLines, costRemarks } from './cost-lines.js';
import type { RunCost } from './rows/cost-record.js';

const counted: RunCost = {
  ...{ promptTokens: 1234, completionTokens: 56, cachedTokens: 0, reasoningTokens: 0 },
  costUsd: 0.0123,
  estimated: { promptTokens: 0, completionTokens: 0, costUsd: null },
  unknown: { requests: 0, promptTokens: 0, costUsd: null },
};
const doubtful: RunCost = {
  ...counted,
  estimated: { promptTokens: 1200, completionTokens: 30, costUsd: 0.0012 },
  unknown: { requests: 1, promptTokens: 400, costUsd: null },
};

it('says two lines of what servers counted', () => {
  expect(costLines(counted)).toEqual(['tokens  1,234 in, 56 out', 'cost    0.0123 USD']);
  expect(costRemarks(counted)).toEqual([]);
});

it('says apart what is estimated and what is unknown', () => {
  expect(costLines(doubtful).slice(2)).toEqual([
    'about   1,200 tokens in, 30 out more (0.0012 USD): answers without a count, estimated',
    'unknown 1 request without an answer may be charged: prompts of about 400 tokens',
  ]);
  expect(costRemarks(doubtful)).toEqual([
    expect.stringContaining('about 1,200 tokens in, 30 out (0.0012 USD) more'),
    expect.stringContaining('1 request brought no answer'),
  ]);
});
