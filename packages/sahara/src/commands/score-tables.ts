/**
 * Scores of heads in words and tables for the terminal.
 */
import { formatCount, formatCounted, formatNumber, formatShare } from '@lab/core';
import { table } from '@lab/core/cli';
import { headKey, leadingCount, rankHeads } from '../head.js';
import { type HeadStability, headStability, isResampleable } from '../head-stability.js';
import { overRefusalHeads } from '../over-refusal.js';
import { scoreConcentration } from '../report/concentration.js';
import type { PromptScoreLine, ScoreFile } from '../score-file.js';
import { headsText } from './head-options.js';

/** How many heads a table has, and the scores by prompt that intervals are made of. */
export interface HeadTableOptions {
  readonly count: number;
  readonly lines?: readonly PromptScoreLine[] | undefined;
}

/** The best heads as a table; with scores by prompt, also how sure their places are. */
export function headTable(file: ScoreFile, { count, lines = [] }: HeadTableOptions): string {
  const firsts = new Map<string, number>();
  for (const { top } of file.prompts ?? []) {
    const [first] = top;
    if (first !== undefined) firsts.set(headKey(first), (firsts.get(headKey(first)) ?? 0) + 1);
  }
  const stability = isResampleable(lines) ? headStability(lines) : [];
  const sure = new Map(stability.map((head) => [headKey(head), head]));
  const rows = rankHeads(file.scores, count).map((head, at) => ({
    rank: at + 1,
    head: headKey(head),
    [file.unit]: formatNumber(head.score),
    ...intervalsOf(sure.get(headKey(head))),
    ...(file.prompts !== undefined && { 'first of': firsts.get(headKey(head)) ?? 0 }),
  }));
  const columns = [
    ...['rank', 'head', file.unit],
    ...(stability.length > 0 ? ['95 %', 'ranks, 95 %'] : []),
    ...(file.prompts === undefined ? [] : ['first of']),
  ];
  return `${table(rows, columns)}\n`;
}

function intervalsOf(head: HeadStability | undefined): Record<string, string> {
  if (head === undefined) return {};
  const { low, high, rankLow, rankHigh } = head;
  return {
    '95 %': `${formatNumber(low)} to ${formatNumber(high)}`,
    'ranks, 95 %': `${Math.round(rankLow)} to ${Math.round(rankHigh)}`,
  };
}

/** One line: how few heads the scores hang on; none where all are 0. */
export function concentrationText(scores: ScoreFile['scores']): string {
  const found = scoreConcentration(scores);
  if (found === null) return '';
  const { gini, headsForHalf, headCount } = found;
  return (
    `concentration ${formatShare(gini)} (Gini): ${formatCounted(headsForHalf, 'head')} of ` +
    `${formatCount(headCount)} ${headsForHalf === 1 ? 'holds' : 'hold'} half of the summed score\n`
  );
}

/** One or two lines: which of the best heads also move prompts that are answered. */
export function harmlessText(file: ScoreFile, harmless: ScoreFile, top = 10): string {
  const most = leadingCount([file, harmless], top);
  const { refusalOnly, shared } = overRefusalHeads(file, harmless, { top: most });
  return (
    `of the best ${formatCounted(most, 'head')}, also among the best on harmless prompts: ` +
    `${headsText(shared) || 'none'}\n` +
    `on these prompts alone: ${headsText(refusalOnly) || 'none'}\n`
  );
}
