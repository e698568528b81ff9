/**
 * The judgements of several judges together, and how far they agree.
 */
import { mean } from '@lab/metrics';
import { type AgreementOptions, type JudgeAgreement, judgeAgreement } from './judge-agreement.js';
import type { ScoredRecord } from './scored-record.js';

/** A run as one judge scores it. */
export interface JudgedRun {
  /** Name of the judge. */
  readonly judge: string;
  /** The same questions in the same order for each judge. */
  readonly scored: readonly ScoredRecord[];
}

/** Two judges on the answers that both have a score for. */
export interface JudgePair extends Omit<JudgeAgreement, 'annotators' | 'meanPeople'> {
  readonly first: string;
  readonly second: string;
  readonly meanSecond: number;
}

/**
 * Questions with the mean score of all judges that gave one; perfect is what all of them call
 * perfect. A question without any score stays without one.
 */
export function meanOfJudges(judges: readonly JudgedRun[]): ScoredRecord[] {
  const [first, ...others] = judges;
  if (first === undefined) return [];
  if (others.length === 0) return [...first.scored];
  return first.scored.map((one, at) => {
    const all = judges.map(({ judge, scored }) => ({ judge, ...scored[at]! }));
    const known = all.flatMap(({ score }) => (score === null ? [] : [score]));
    const said = all.filter(({ explanation }) => explanation !== '');
    return {
      ...one,
      score: known.length === 0 ? null : mean(known),
      missing: known.length === 0 ? one.missing : null,
      explanation: said
        .map(({ judge, score, explanation }) => `${judge}, ${score ?? 'no score'}:\n${explanation}`)
        .join('\n\n'),
    };
  });
}

/** Every two judges side by side, those left out that have no scored answer in common. */
export function judgePairs(
  judges: readonly JudgedRun[],
  options: AgreementOptions = {},
): JudgePair[] {
  return judges.flatMap((one, at) =>
    judges.slice(at + 1).flatMap((other) => {
      const grades = other.scored.flatMap(({ record: { id }, score: grade }) =>
        grade === null ? [] : [{ id, grade, annotator: other.judge }],
      );
      const known = new Set(grades.map(({ id }) => id));
      if (!one.scored.some(({ record, score }) => score !== null && known.has(record.id)))
        return [];
      const {
        meanPeople,
        annotators: _,
        ...agreement
      } = judgeAgreement(one.scored, grades, options);
      return [{ first: one.judge, second: other.judge, meanSecond: meanPeople, ...agreement }];
    }),
  );
}
