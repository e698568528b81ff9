/**
 * Prompts as batches of about one length, filled up on the left.
 */
import type { TokenInput } from '@lab/transformer';
import type { TokenPrompt } from '../head-outputs.js';

/** A batch and the places of its prompts in the list. */
export interface PromptBatch extends TokenInput {
  readonly ids: readonly (readonly number[])[];
  readonly mask: readonly (readonly number[])[];
  readonly places: readonly number[];
}

/**
 * Batches of at most so many tokens, padding counted; longer prompts stand alone.
 *
 * @param batchTokens - default 1024.
 */
export function batchedPrompts(prompts: readonly TokenPrompt[], batchTokens = 1024): PromptBatch[] {
  const lengthOf = (place: number) => prompts[place]!.ids.length;
  const order = prompts.map((_, place) => place).toSorted((a, b) => lengthOf(a) - lengthOf(b));
  const batches: PromptBatch[] = [];
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    // Sorted: the last of a batch is its longest.
    while (end < order.length && (end + 1 - start) * lengthOf(order[end]!) <= batchTokens) end += 1;
    const places = order.slice(start, end);
    const length = lengthOf(places.at(-1)!);
    const fill = (place: number, value: number) =>
      Array.from({ length: length - lengthOf(place) }, () => value);
    batches.push({
      places,
      ids: places.map((place) => [...fill(place, 0), ...prompts[place]!.ids]),
      mask: places.map((place) => [...fill(place, 0), ...prompts[place]!.ids.map(() => 1)]),
    });
    start = end;
  }
  return batches;
}
