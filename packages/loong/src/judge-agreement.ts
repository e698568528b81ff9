/**
 * How far a judge agrees with people.
 */
import { createRandom, DataError } from '@lab/core';
import { cohenKappa, mean, pairedBootstrap, spearman } from '@lab/metrics';
import type { Annotation } from './annotations.js';
import type { Estimate } from './evaluate.js';
import type { ScoredRecord } from './scored-record.js';

/** The scores of a judge beside the grades of people. */
export interface JudgeAgreement {
  /** Answers with both. */
  readonly n: number;
  readonly annotators: number;
  readonly meanJudge: number;
  readonly meanPeople: number;
  /** Judge minus people: what the judge gives too much; 95 % bootstrap interval. */
  readonly difference: Estimate;
  /** Mean distance of both. */
  readonly meanDistance: number;
  /** Rank correlation; null where either does not vary. */
  readonly spearman: number | null;
  /** Kappa with quadratic weights over the grades 0, 25, 50, 75, 100. */
  readonly kappa: number;
  /** Share of answers where both say 100, or neither does: what the perfect rate hangs on. */
  readonly samePerfect: number;
}

/** Settings of {@link judgeAgreement}. */
export interface AgreementOptions {
  /** Of the bootstrap; default 2,000. */
  readonly resamples?: number | undefined;
  readonly seed?: number | undefined;
}

const step = 25;
const perfect = 100;

/**
 * A judge beside people on the answers that both have; an answer with several grades has their
 * mean.
 *
 * @throws {DataError} where no graded answer has a score.
 */
export function judgeAgreement(
  scored: readonly ScoredRecord[],
  annotations: readonly Annotation[],
  { resamples = 2000, seed = 1 }: AgreementOptions = {},
): JudgeAgreement {
  const byId = new Map<string, number[]>();
  for (const { id, grade } of annotations) byId.set(id, [...(byId.get(id) ?? []), grade]);
  const both = scored.flatMap(({ record, score }) => {
    const given = byId.get(record.id);
    return score === null || given === undefined ? [] : [{ judge: score, people: mean(given) }];
  });
  if (both.length === 0) {
    throw new DataError(`none of ${byId.size} graded answers is one of this run with a score.`, {
      help: 'grade the file that "loong annotate" wrote for this run.',
    });
  }
  const [judge, people] = [both.map((one) => one.judge), both.map((one) => one.people)];
  const random = createRandom(seed).fork('judge-agreement');
  const { estimate, low, high } = pairedBootstrap(judge, people, { random, resamples });
  const varies = (values: readonly number[]) => new Set(values).size > 1;
  const nearestGrade = (score: number) => step * Math.round(score / step);
  const same = both.filter((one) => (one.judge === perfect) === (one.people === perfect));
  return {
    n: both.length,
    annotators: new Set(annotations.map(({ annotator }) => annotator)).size,
    meanJudge: mean(judge),
    meanPeople: mean(people),
    difference: { value: estimate, low, high },
    meanDistance: mean(both.map((one) => Math.abs(one.judge - one.people))),
    spearman: varies(judge) && varies(people) ? spearman(judge, people) : null,
    kappa: cohenKappa(judge.map(nearestGrade), people.map(nearestGrade), { weights: 'quadratic' }),
    samePerfect: same.length / both.length,
  };
}
