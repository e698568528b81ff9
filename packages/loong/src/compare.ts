/**
 * Two or more models on the same questions.
 */
import { createRandom, DataError } from '@lab/core';
import { mcNemar, type McNemarResult, pairedBootstrap, type PairedInterval } from '@lab/metrics';
import { type EvaluateOptions, evaluateScores, type Evaluation } from './evaluate.js';
import type { ScoredRecord } from './scored-record.js';
import { lengthSets, levels, taskNames } from './tasks.js';

/** A run that is compared. */
export interface ComparedRun {
  readonly name: string;
  readonly scored: readonly ScoredRecord[];
}

/** Two runs on the questions that both have a score for. */
export interface PairedScores {
  readonly name: string;
  /** Questions with a score in both. */
  readonly n: number;
  /** Mean difference of scores, first minus second, with 95 % interval and p-value. */
  readonly difference: PairedInterval | null;
  /** Questions that one alone answers perfectly, and the exact test of it. */
  readonly perfect: McNemarResult | null;
}

/** The comparison of a run with the first one. */
export interface RunPair {
  readonly first: string;
  readonly second: string;
  readonly overall: PairedScores;
  readonly byLevel: readonly PairedScores[];
  readonly bySet: readonly PairedScores[];
}

/** Several runs side by side. */
export interface Comparison {
  readonly runs: readonly { readonly name: string; readonly evaluation: Evaluation }[];
  /** Each further run against the first. */
  readonly pairs: readonly RunPair[];
}

/**
 * Compares runs question by question: every one against the first.
 *
 * @throws {DataError} for fewer than two runs, and for runs without common questions.
 */
export function compareScores(
  runs: readonly ComparedRun[],
  options: EvaluateOptions = {},
): Comparison {
  const [first, ...others] = runs;
  if (first === undefined || others.length === 0) {
    throw new DataError('a comparison needs at least two runs.', {
      help: 'e.g. "loong compare runs/a runs/b".',
    });
  }
  return {
    runs: runs.map(({ name, scored }) => ({ name, evaluation: evaluateScores(scored, options) })),
    pairs: others.map((other) => pairOf(first, other, options)),
  };
}

interface BothScores {
  readonly one: ScoredRecord;
  readonly left: number;
  readonly right: number;
}

function pairOf(first: ComparedRun, second: ComparedRun, options: EvaluateOptions): RunPair {
  const scores = new Map(second.scored.map(({ record, score }) => [record.id, score]));
  const known = new Set(second.scored.map(({ record }) => record.id));
  if (first.scored.every(({ record }) => !known.has(record.id))) {
    throw new DataError(`${first.name} and ${second.name} have no question in common.`, {
      help: 'compare runs of the same benchmark.',
    });
  }
  const both = first.scored.flatMap((one): BothScores[] => {
    const right = scores.get(one.record.id) ?? null;
    return one.score === null || right === null ? [] : [{ one, left: one.score, right }];
  });
  const part = (name: string, keep: (one: ScoredRecord) => boolean) =>
    pairedScores(
      name,
      both.filter(({ one }) => keep(one)),
      options,
    );
  return {
    first: first.name,
    second: second.name,
    overall: pairedScores('all', both, options),
    byLevel: levels
      .map((level) => part(taskNames[level], ({ record }) => record.level === level))
      .filter(({ n }) => n > 0),
    bySet: lengthSets
      .map((set) => part(`set ${set}`, ({ record }) => record.set === set))
      .filter(({ n }) => n > 0),
  };
}

function pairedScores(
  name: string,
  both: readonly BothScores[],
  { seed = 1, resamples = 2000 }: EvaluateOptions,
): PairedScores {
  if (both.length === 0) return { name, n: 0, difference: null, perfect: null };
  const [left, right] = [both.map((one) => one.left), both.map((one) => one.right)];
  const random = createRandom(seed).fork('paired').fork(name);
  const isPerfect = (scores: readonly number[]) => scores.map((score) => score === 100);
  return {
    ...{ name, n: both.length },
    difference: pairedBootstrap(left, right, { random, resamples }),
    perfect: mcNemar(isPerfect(left), isPerfect(right)),
  };
}
