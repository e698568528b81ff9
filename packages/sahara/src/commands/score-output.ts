/**
 * What the verbs that score heads write and print.
 */
import { formatNumber, type Run } from '@lab/core';
import { type CliContext, table } from '@lab/core/cli';
import { headCounts, resolveAblation } from '../ablation.js';
import { configuredAblation } from '../config.js';
import { headKey, rankHeads, tiedHeads } from '../head.js';
import type { ScoreFile } from '../score-file.js';
import type { ScoreInput } from './score-input.js';

/** What a file of scores says beside scores. */
export type ScoreFileHead = Omit<ScoreFile, 'kind' | 'scores' | 'ties' | 'unit'>;

/** What files of scores of a run have in common. */
export function scoreFileHead({ resolved, opened, data }: ScoreInput): ScoreFileHead {
  const { config } = resolved;
  const ablation = resolveAblation(configuredAblation(config), opened.model.architecture);
  const counts = headCounts(opened.model.architecture, ablation);
  return {
    schemaVersion: 1,
    model: { path: opened.folder, fingerprint: opened.fingerprint.model, ...counts },
    tokenizer: { fingerprint: opened.fingerprint.tokenizer },
    format: config.prompts.format,
    ...(config.prompts.system === '' ? {} : { system: config.prompts.system }),
    data: { sha256: data.sha256, promptCount: data.records.length },
    ablation,
    numerics: config.scores.numerics,
  };
}

/** Scores with their ties. */
export const scoresWithTies = (scores: readonly (readonly (number | null)[])[]) => ({
  scores: scores.map((row) => [...row]),
  ties: tiedHeads(scores),
});

/** The best heads as a table. */
export function headTable(file: ScoreFile, count: number): string {
  const firsts = new Map<string, number>();
  for (const { top } of file.prompts ?? []) {
    const [first] = top;
    if (first !== undefined) firsts.set(headKey(first), (firsts.get(headKey(first)) ?? 0) + 1);
  }
  const rows = rankHeads(file.scores, count).map((head, at) => ({
    rank: at + 1,
    head: headKey(head),
    [file.unit]: formatNumber(head.score),
    ...(file.prompts !== undefined && { 'first of': firsts.get(headKey(head)) ?? 0 }),
  }));
  const columns = ['rank', 'head', file.unit, ...(file.prompts === undefined ? [] : ['first of'])];
  return `${table(rows, columns)}\n`;
}

/** The end of a run on stdout. */
export function printRun(context: CliContext, run: Run, result: Record<string, unknown>): void {
  context.print(`run     ${run.dir}\nnext: sahara report ${run.dir}\n`);
  context.printJson({ run: run.dir, status: 'success', ...result });
}
