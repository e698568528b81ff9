/**
 * What a run did cost, in words.
 */
import { formatCount, formatCounted } from '@lab/core';
import type { RunCost } from './rows/cost-record.js';
import { usdText } from './usd-text.js';

const priced = (usd: number | null): string => (usd === null ? '' : ` (${usdText(usd)})`);

/** Tokens and money in lines for a terminal: what is estimated or unknown stands apart. */
export function costLines(cost: RunCost): string[] {
  const { promptTokens, completionTokens, costUsd } = cost;
  return [
    `tokens  ${formatCount(promptTokens)} in, ${formatCount(completionTokens)} out`,
    `cost    ${usdText(costUsd)}`,
    ...doubts(cost).map(({ label, text }) => `${label.padEnd(8)}${text}`),
  ];
}

/** What is not of the count of servers; nothing where all is, or the record does not say. */
export function costRemarks(cost: Partial<RunCost>): string[] {
  return doubts(cost).map(({ sentence }) => sentence);
}

interface Doubt {
  readonly label: string;
  readonly text: string;
  readonly sentence: string;
}

function doubts({ estimated, unknown }: Partial<RunCost>): Doubt[] {
  const found: Doubt[] = [];
  if (estimated !== undefined && estimated.promptTokens + estimated.completionTokens > 0) {
    const { promptTokens, completionTokens, costUsd } = estimated;
    const tokens = `${formatCount(promptTokens)} tokens in, ${formatCount(completionTokens)} out`;
    const cost = priced(costUsd);
    found.push({
      label: 'about',
      text: `${tokens} more${cost}: answers without a count, estimated`,
      sentence:
        `Some answers came without a count of their tokens: about ${tokens}${cost} more, by ` +
        'estimate.',
    });
  }
  if (unknown !== undefined && unknown.requests > 0) {
    const requests = formatCounted(unknown.requests, 'request');
    const prompts = `${formatCount(unknown.promptTokens)} tokens${priced(unknown.costUsd)}`;
    found.push({
      label: 'unknown',
      text: `${requests} without an answer may be charged: prompts of about ${prompts}`,
      sentence:
        `${requests} brought no answer, and the server may charge for them all the same: their ` +
        `prompts have about ${prompts}; how much was written is not known.`,
    });
  }
  return found;
}
