/**
 * Verdicts that need no model: a judge below them is broken.
 */
import { accuracy, cohenKappa } from '@lab/metrics';
import type { JudgedSample } from './judged-sample.js';
import type { Sample } from './sample.js';
import { type Verdict, verdictOf } from './verdict.js';

/** Agreement of a rule with people. */
export interface Floor {
  readonly name: string;
  readonly accuracy: number;
  readonly kappa: number;
}

/** Agreement with people of always the same verdict; empty where people gave none. */
export function constantFloors(gold: readonly (Verdict | null)[]): Floor[] {
  const known = gold.filter((verdict) => verdict !== null);
  if (known.length === 0) return [];
  return (['1', '2', 'tie'] as const).map((verdict) =>
    floorOf(
      verdict === 'tie' ? 'always a tie' : `always answer ${verdict}`,
      known,
      known.map(() => verdict),
    ),
  );
}

/** Besides these the agreement of the longer answer, in characters and in words. */
export function dataFloors(samples: readonly Sample[]): Floor[] {
  const labelled = samples.filter(({ gold }) => gold !== null);
  if (labelled.length === 0) return [];
  const gold = labelled.map((sample) => sample.gold!);
  const longer = (sizeOf: (text: string) => number) =>
    labelled.map(({ answer1, answer2 }) => verdictOf(sizeOf(answer1) - sizeOf(answer2)));
  return [
    ...constantFloors(gold),
    floorOf('longer in characters', gold, longer(characterCount)),
    floorOf('longer in words', gold, longer(wordCount)),
  ];
}

/** Besides those of constant verdicts that of the longer answer, where lengths are known. */
export function judgedFloors(
  samples: readonly Pick<JudgedSample, 'gold' | 'lengthDifference'>[],
): Floor[] {
  const constant = constantFloors(samples.map(({ gold }) => gold));
  const known = samples.flatMap(({ gold, lengthDifference }) =>
    gold === null || lengthDifference === null ? [] : [{ gold, lengthDifference }],
  );
  if (known.length === 0 || known.length < samples.filter(({ gold }) => gold !== null).length) {
    return constant;
  }
  const longer = known.map(({ lengthDifference }) => verdictOf(lengthDifference));
  const gold = known.map((one) => one.gold);
  return [...constant, floorOf('longer in characters', gold, longer)];
}

/** Characters of a text, each as one, also those of two code units. */
export function characterCount(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Words of a text, as white space parts them. */
export function wordCount(text: string): number {
  return text.split(/\s+/u).filter((word) => word !== '').length;
}

function floorOf(name: string, gold: readonly Verdict[], verdicts: readonly Verdict[]): Floor {
  return { name, accuracy: accuracy(verdicts, gold), kappa: cohenKappa(gold, verdicts) };
}
