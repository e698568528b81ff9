/**
 * The scores of a run question by question, as lines of a file.
 */
import type { ScoredRecord } from './scored-record.js';
import { subtaskOf } from './tasks.js';

/** The name of the file. */
export const scoresFile = 'scores.jsonl';

/** The lines of questions in their order, each with its gold answer, whatever became of it. */
export function scoreLines(scored: readonly ScoredRecord[]): string {
  return scored.map((one) => `${JSON.stringify(scoreRow(one))}\n`).join('');
}

function scoreRow({ record, answer, ...one }: ScoredRecord): object {
  const { id, level, set, type, language, length, answer: gold } = record;
  const { status, coverage, response, score, missing, ruleScore, explanation, costUsd } = one;
  return {
    ...{ id, level, set, subtask: subtaskOf(record), type, language, length },
    ...{ status, coverage, score, missing, ruleScore, gold, response, explanation },
    docsUsed: answer?.docsUsed ?? null,
    docsDropped: answer?.docsDropped ?? null,
    costUsd,
  };
}
