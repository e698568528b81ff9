/**
 * Stores of all tokens, prompt by prompt: what one row of each prompt would have been.
 */
import { ConfigError } from '@lab/core';
import { highestOf, meanOf } from './hidden-states.js';
import { rowOf } from './state-rows.js';
import type { StateStore } from './state-store.js';

/** How tokens of a prompt become one row, or, counted from the end (-1), which of them is it. */
export type TokenPooling = 'last' | 'max' | 'mean' | 'prompt-end' | number;

/** Prompts of a store that keeps all tokens. */
export interface TokenPrompts {
  readonly ids: readonly string[];
  /** Class of each prompt as its place among the classes, `[N]`. */
  readonly labels: Int32Array;
  /** Hash of each text: equal ones stay together in splits. */
  readonly groups: readonly string[];
  /** First row of each prompt, and the end, `[N + 1]`. */
  readonly starts: readonly number[];
  /** Row of each prompt's own last token, before a format goes on; null where no one kept it. */
  readonly promptEnds: readonly number[] | null;
  /** Tokens of the shortest. */
  readonly fewestTokens: number;
}

/**
 * Prompts of a store of all tokens.
 *
 * @throws {ConfigError} for a store of other positions.
 */
export function tokenPrompts({ about, rows, labels, rowCount }: StateStore): TokenPrompts {
  if (about.positions !== 'tokens') {
    throw new ConfigError(`weak-probe/positions: the states are of positions ${about.positions}.`, {
      help: 'Collect all tokens: --set states.positions=tokens',
    });
  }
  const firsts = rows.flatMap(({ token }, row) => (token === 0 ? [row] : []));
  const starts = [...firsts, rowCount];
  const ends = firsts.map((row) => rows[row]!.promptEnd);
  const lengths = firsts.map((row, at) => starts[at + 1]! - row);
  return {
    ids: firsts.map((row) => rows[row]!.id),
    labels: Int32Array.from(firsts, (row) => labels[row]!),
    groups: firsts.map((row) => rows[row]!.promptSha256),
    starts,
    promptEnds: ends.includes(undefined) ? null : firsts.map((row, at) => row + ends[at]!),
    fewestTokens: lengths.reduce((least, length) => Math.min(least, length), Infinity),
  };
}

/**
 * A row of each prompt, `[N, D]`.
 *
 * @param values - all tokens of one state, `[T, D]`.
 * @throws {ConfigError} for a place that a prompt does not have, and ends that no one kept.
 */
export function pooledTokens(
  values: Float32Array,
  { starts, promptEnds, fewestTokens }: TokenPrompts,
  pooling: TokenPooling,
): Float32Array {
  const width = values.length / starts.at(-1)!;
  if (typeof pooling === 'number' && !(pooling < 0 && -pooling <= fewestTokens)) {
    throw new ConfigError(`weak-probe/positions: there is no token ${pooling} in every prompt.`, {
      help: `Count from the end: ${-fewestTokens} to -1.`,
    });
  }
  if (pooling === 'prompt-end' && promptEnds === null) {
    throw new ConfigError('weak-probe/positions: ends of prompts were not kept.', {
      help: 'Collect the tokens again.',
    });
  }
  const count = starts.length - 1;
  const pooled = new Float32Array(count * width);
  for (let at = 0; at < count; at += 1) {
    const span = { first: starts[at]!, end: starts[at + 1]!, promptEnd: promptEnds?.[at] ?? -1 };
    pooled.set(pooledRow(values, { ...span, width }, pooling), at * width);
  }
  return pooled;
}

interface PromptSpan {
  readonly first: number;
  readonly end: number;
  readonly promptEnd: number;
  readonly width: number;
}

function pooledRow(
  values: Float32Array,
  { first, end, promptEnd, width }: PromptSpan,
  pooling: TokenPooling,
): Float32Array {
  if (pooling === 'last') return rowOf(values, end - 1, width);
  if (pooling === 'prompt-end') return rowOf(values, promptEnd, width);
  if (typeof pooling === 'number') return rowOf(values, end + pooling, width);
  const tokens = Array.from({ length: end - first }, (_, token) =>
    rowOf(values, first + token, width),
  );
  return pooling === 'mean' ? meanOf(tokens, width) : highestOf(tokens, width);
}
