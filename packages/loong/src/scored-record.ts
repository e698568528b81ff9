/**
 * Questions with what was answered and how it was judged.
 */
import type { Prediction, RowStatus } from '@lab/llm';
import { isJudged, type LoongAnswer, responseOf } from './answers.js';
import { type Coverage, coverageOf } from './coverage.js';
import type { Judgement } from './judgement.js';
import type { LoongRecord } from './record.js';
import { scoreByRule } from './rules/score-by-rule.js';

/** A question, its answer and its scores. */
export interface ScoredRecord {
  readonly record: LoongRecord;
  /** Null where nothing was asked or the call failed. */
  readonly answer: LoongAnswer | null;
  /** How the row of the answer ended; `not-answered` where it has none. */
  readonly status: RowStatus;
  /** What the prompt had of the question's documents. */
  readonly coverage: Coverage;
  readonly response: string;
  /** The judge's, 0..100; null where there is none. */
  readonly score: number | null;
  /** Why there is none: the status of the answer, or of the judgement; null where there is one. */
  readonly missing: string | null;
  readonly explanation: string;
  /** By rule, 0..100; null where no rule fits or there is no answer. */
  readonly ruleScore: number | null;
  readonly costUsd: number | null;
}

/** What {@link scoreRecords} joins. */
export interface ScoreRecordsOptions {
  readonly records: readonly LoongRecord[];
  readonly answers: ReadonlyMap<string, Prediction<LoongAnswer>>;
  /** Judgements by id; null where there was no judge. */
  readonly judgements: ReadonlyMap<string, Prediction<Judgement>> | null;
  /** Takes scores by rule in place of a judge. */
  readonly ruleScores?: boolean | undefined;
}

/** Questions, answers and judgements together, in the order of the questions. */
export async function scoreRecords(options: ScoreRecordsOptions): Promise<ScoredRecord[]> {
  const scored: ScoredRecord[] = [];
  for (const record of options.records) scored.push(await scoredRecord(record, options));
  return scored;
}

async function scoredRecord(
  record: LoongRecord,
  { answers, judgements, ruleScores = false }: ScoreRecordsOptions,
): Promise<ScoredRecord> {
  const prediction = answers.get(record.id);
  const coverage = coverageOf(prediction);
  if (prediction === undefined) return unanswered(record, 'not-answered', coverage);
  const { status, output, costUsd } = prediction;
  if (!isJudged(prediction)) {
    return { ...unanswered(record, status, coverage), answer: output, costUsd };
  }
  const response = responseOf(prediction);
  const ruleScore = await scoreByRule(record, response);
  const judged = judgements?.get(record.id);
  const score = ruleScores ? ruleScore : (judged?.output?.score ?? null);
  const whyNot = ruleScores ? 'no-rule' : (judged?.output?.problem ?? 'not-judged');
  return {
    ...{ record, answer: output, status, coverage, response, score },
    missing: score === null ? whyNot : null,
    explanation: judged?.output?.explanation ?? '',
    ...{ ruleScore, costUsd },
  };
}

function unanswered(record: LoongRecord, status: string, coverage: Coverage): ScoredRecord {
  return {
    ...{ record, answer: null, status, coverage, response: '', score: null, missing: status },
    ...{ explanation: '', ruleScore: null, costUsd: null },
  };
}
