/**
 * Pairs that stand more than once in a set.
 */
import { type Sample, sampleId } from './sample.js';
import { swapVerdict } from './verdict.js';

/** How many pairs of a set are copies. */
export interface Repeats {
  /** Pairs with the texts of an earlier one. */
  readonly copies: number;
  /** Pairs that are another one with its answers swapped, both counted. */
  readonly swapped: number;
  /** Of both, those whose verdict of people is another one. */
  readonly contradictory: number;
}

/** Copies among pairs; equal answers are no swapped copy of themselves. */
export function repeatsOf(samples: readonly Sample[]): Repeats {
  const byTexts = new Map<string, Sample>();
  let [copies, swapped, contradictory] = [0, 0, 0];
  for (const sample of samples) {
    const { question, answer1, answer2 } = sample;
    const texts = sampleId(question, answer1, answer2);
    const known = byTexts.get(texts);
    if (known === undefined) byTexts.set(texts, sample);
    else {
      copies += 1;
      contradictory += Number(known.gold !== sample.gold);
    }
  }
  for (const { question, answer1, answer2, gold } of samples) {
    if (answer1 === answer2) continue;
    const other = byTexts.get(sampleId(question, answer2, answer1));
    if (other === undefined) continue;
    swapped += 1;
    contradictory += Number(other.gold !== (gold === null ? null : swapVerdict(gold)));
  }
  return { copies, swapped, contradictory };
}

/** What is said of copies; empty where there are none. */
export function repeatsText({ copies, swapped, contradictory }: Repeats): string[] {
  const contradicted =
    contradictory === 0 ? [] : [`pairs whose copy has another verdict of people: ${contradictory}`];
  return [
    ...(copies === 0 ? [] : [`pairs with the texts of an earlier one: ${copies}`]),
    ...(swapped === 0 ? [] : [`pairs that are another one with its answers swapped: ${swapped}`]),
    ...contradicted,
  ];
}
