/**
 * The next token from the logits of all, in float64 on the host.
 */
import { ModelError } from '@lab/core';
import type { SamplingOptions, TokenLogprob } from './engine.js';

/** Logits and which tokens may not be taken. */
export interface Choice {
  /** `[V]`. */
  readonly logits: Float32Array;
  readonly barred: ReadonlySet<number>;
}

/**
 * The next token: the most probable one, or with a temperature one drawn by its probability among
 * those that `topK`, then `topP`, keep. Of equal logits the lower id is first.
 *
 * Source: top-p: Holtzman et al., The Curious Case of Neural Text Degeneration; temperature, top-k
 * and top-p in the order of `transformers`.
 *
 * @param draw - uniform in [0, 1); called only with a temperature, once.
 * @throws {ModelError} where the logits are not numbers.
 */
export function nextToken(
  { logits, barred }: Choice,
  { temperature = 0, topK, topP = 1 }: SamplingOptions,
  draw: () => number,
): number {
  const [best] = mostProbable(logits, 1, barred);
  if (best === undefined || !Number.isFinite(logits[best])) {
    throw new ModelError('transformer/generate: the logits are not numbers.', {
      help: 'transformer validate MODEL checks the model; try another backend.',
    });
  }
  if (temperature === 0) return best;
  const weightOf = (id: number) => Math.exp((logits[id]! - logits[best]!) / temperature);
  const kept = keptTokens({ logits, barred }, { topK, topP, weightOf });
  let sum = 0;
  for (const id of kept) sum += weightOf(id);
  let left = draw() * sum;
  for (const id of kept) {
    left -= weightOf(id);
    if (left < 0) return id;
  }
  return best;
}

interface Kept {
  readonly topK: number | undefined;
  readonly topP: number;
  readonly weightOf: (id: number) => number;
}

/** Ids among which is drawn, ascending: the order must not hang on logits that nearly agree. */
function keptTokens({ logits, barred }: Choice, { topK, topP, weightOf }: Kept): number[] {
  const size = logits.length;
  if (topK === undefined && topP >= 1) {
    return Array.from({ length: size }, (_, id) => id).filter((id) => !barred.has(id));
  }
  const first = topK === undefined ? null : mostProbable(logits, topK, barred);
  if (topP >= 1) return first!.toSorted((a, b) => a - b);
  let sum = 0;
  if (first === null) {
    for (let id = 0; id < size; id += 1) if (!barred.has(id)) sum += weightOf(id);
  } else {
    for (const id of first) sum += weightOf(id);
  }
  for (let count = Math.min(64, size); ; count = Math.min(4 * count, size)) {
    const ranked = first ?? mostProbable(logits, count, barred);
    let reached = 0;
    const end = ranked.findIndex((id) => (reached += weightOf(id)) >= topP * sum);
    if (end >= 0) return ranked.slice(0, end + 1).toSorted((a, b) => a - b);
    if (first !== null || count === size) return ranked.toSorted((a, b) => a - b);
  }
}

/** Ids of the largest logits, largest first; of equal ones the lower id first. */
export function mostProbable(
  logits: Float32Array,
  count: number,
  barred: ReadonlySet<number> = new Set(),
): number[] {
  if (count === 1) return largest(logits, barred);
  if (count > logits.length / 8) {
    const all = Array.from(logits, (_, id) => id).filter((id) => !barred.has(id));
    return all.toSorted((a, b) => logits[b]! - logits[a]! || a - b).slice(0, count);
  }
  // A heap whose root is the first to be given up.
  const heap: number[] = [];
  const isWorse = (a: number, b: number) =>
    logits[a]! < logits[b]! || (logits[a] === logits[b] && a > b);
  for (let id = 0; id < logits.length; id += 1) {
    const isFull = heap.length === count;
    if ((isFull && !isWorse(heap[0]!, id)) || barred.has(id)) continue;
    if (isFull) sink(heap, id, isWorse);
    else rise(heap, id, isWorse);
  }
  return heap.toSorted((a, b) => logits[b]! - logits[a]! || a - b);
}

type Order = (a: number, b: number) => boolean;

/** Adds an id to a heap. */
function rise(heap: number[], id: number, isWorse: Order): void {
  let at = heap.push(id) - 1;
  while (at > 0) {
    const above = (at - 1) >> 1;
    if (!isWorse(id, heap[above]!)) break;
    heap[at] = heap[above]!;
    at = above;
  }
  heap[at] = id;
}

/** Puts an id in the place of the root. */
function sink(heap: number[], id: number, isWorse: Order): void {
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    if (left >= heap.length) break;
    const right = left + 1;
    const worse = right < heap.length && isWorse(heap[right]!, heap[left]!) ? right : left;
    if (!isWorse(heap[worse]!, id)) break;
    heap[at] = heap[worse]!;
    at = worse;
  }
  heap[at] = id;
}

function largest(logits: Float32Array, barred: ReadonlySet<number>): number[] {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logits.length; id += 1) {
    const value = logits[id]!;
    // A comparison with NaN is false: one that stands first is not to hide the others' absence.
    if (Number.isNaN(value)) return [id];
    if (value > most && !barred.has(id)) {
      best = id;
      most = value;
    }
  }
  return best < 0 ? [] : [best];
}

/** Log-probability of each token; the largest logit is taken off first, to lose no digits. */
export function logProbabilities(logits: Float32Array): (id: number) => number {
  let most = Number.NEGATIVE_INFINITY;
  for (const value of logits) if (value > most) most = value;
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - most);
  const normaliser = Math.log(sum);
  return (id) => logits[id]! - most - normaliser;
}

/** Log-probabilities of a token and of the most probable ones. */
export function tokenLogprobs(
  logits: Float32Array,
  id: number,
  top: number,
): { readonly logprob: number; readonly topLogprobs?: TokenLogprob[] } {
  const of = logProbabilities(logits);
  if (top === 0) return { logprob: of(id) };
  const first = mostProbable(logits, top);
  return { logprob: of(id), topLogprobs: first.map((one) => ({ id: one, logprob: of(one) })) };
}
