/**
 * What the output would say of every state: the logit lens over a set of prompts.
 */
import { ConfigError, DataError } from '@lab/core';
import { tf } from '@lab/tensor';
import type { Model } from '@lab/transformer';
import { type LensRequest, PART_BYTES, partShape, readRows } from './lens-parts.js';
import { normedRows } from './row-output.js';
import { assertOfModel, type CallOptions, type StateRows } from './state-rows.js';
import { assertState } from './state-store.js';

/** How {@link lensStates} reads. */
export interface LensOptions extends CallOptions {
  /** K, tokens listed of each prompt; default 5. */
  readonly top?: number | undefined;
  /** Default all. */
  readonly states?: readonly number[] | undefined;
  /**
   * `once`, or `official`: twice at the last state, whose rows released code has normed already.
   * Default `once`.
   */
  readonly norm?: 'official' | 'once' | undefined;
  /** Whether the rows of the last state were collected behind the final norm; default false. */
  readonly areNormed?: boolean | undefined;
  /** M tokens that are followed through the states; default none. */
  readonly tokens?: readonly number[] | undefined;
  /**
   * Bytes of logits that are there at once, some copies while they are read apart; default
   * 64,000,000. Prompts, and large vocabularies too, are read in parts of that size; what is read
   * does not depend on it, up to rounding.
   */
  readonly partBytes?: number | undefined;
}

/** The best tokens of each prompt at a state. */
export interface StateTops {
  readonly state: number;
  /** K. */
  readonly top: number;
  /** Most probable first, `[N, K]`. */
  readonly ids: Int32Array;
}

/** Tokens that are followed, at a state. */
export interface FollowedTokens {
  readonly ids: readonly number[];
  /** `[N, M]`. */
  readonly logits: Float32Array;
  /** Natural, `[N, M]`. */
  readonly logProbabilities: Float32Array;
  /** 1 for the most probable token; tokens with the same logit share the better rank. `[N, M]`. */
  readonly ranks: Int32Array;
}

/** What the output says of all prompts at a state. */
export interface StateLens extends StateTops {
  /** Of the listed tokens, `[N, K]`. */
  readonly logits: Float32Array;
  /** Natural, `[N, K]`. */
  readonly logProbabilities: Float32Array;
  /** Of the whole distribution, nats, `[N]`. */
  readonly entropies: Float32Array;
  readonly followed: FollowedTokens | null;
}

/**
 * The logit lens of every state, state by state: `lens_l(x) = Norm(u_l(x)) W_U`.
 *
 * Logits are made in parts of so many bytes, and no more than the listed tokens of one state is
 * kept.
 * Source: nostalgebraist, Interpreting GPT: the logit lens; the double norm at the last state as in
 * ydyjya/LLM-IHS-Explanation.
 *
 * @throws {ConfigError} for K below 1 or above the vocabulary, and states or tokens that are not
 *   there.
 * @throws {ShapeError} for rows of another width than the model's.
 * @throws {DataError} for rows with NaN or infinities.
 */
export async function* lensStates(
  model: Model,
  rows: StateRows,
  options: LensOptions = {},
): AsyncGenerator<StateLens> {
  const { top = 5, norm = 'once', areNormed = false, tokens = [] } = options;
  const { partBytes = PART_BYTES, signal, onProgress } = options;
  const last = rows.stateCount - 1;
  const { states = Array.from({ length: last + 1 }, (_, state) => state) } = options;
  assertLens(model, { top, tokens, partBytes });
  if (areNormed && norm === 'once') throw normedTwice();
  for (const state of states) assertState(state, rows.stateCount);
  assertOfModel(model, rows, 'weak-probe/lens');
  for (const [done, state] of states.entries()) {
    signal?.throwIfAborted();
    const isDouble = norm === 'official' && state === last && !areNormed;
    const given = await rows.readState(state);
    assertFinite(given, rows.width, state);
    const request = { top, tokens, partBytes, isDouble, signal };
    yield { state, top, ...(await lensOfRows(model, given, request)) };
    onProgress?.(done + 1, states.length);
  }
}

/** How rows are read. */
export interface RowsRequest extends LensRequest {
  /** Whether the final norm is applied once more. */
  readonly isDouble: boolean;
}

/** What the output says of rows behind the last block, `[N, D]`, so many at a time. */
export async function lensOfRows(
  model: Model,
  rows: Float32Array,
  request: RowsRequest,
): Promise<Omit<StateLens, 'state' | 'top'>> {
  const { top, tokens, isDouble, partBytes, signal } = request;
  const { width, vocabularySize } = model.architecture;
  const rowCount = rows.length / width;
  const areRead = model.residency !== 'resident';
  const shape = partShape({ rowCount, vocabularySize }, { partBytes, areRead });
  const [listed, all] = [rowCount * top, rowCount * tokens.length];
  const found = {
    ...{ ids: new Int32Array(listed), logits: new Float32Array(listed) },
    ...{ logProbabilities: new Float32Array(listed), entropies: new Float32Array(rowCount) },
  };
  const followed = {
    ...{ logits: new Float32Array(all), logProbabilities: new Float32Array(all) },
    ranks: new Int32Array(all),
  };
  for (let start = 0; start < rowCount; start += shape.rows) {
    signal?.throwIfAborted();
    const count = Math.min(shape.rows, rowCount - start);
    const own = tf.tensor2d(rows.subarray(start * width, (start + count) * width), [count, width]);
    const read = isDouble ? await normedRows(model, own) : own;
    const asked = { ...request, partTokens: shape.tokens };
    const part = await readRows(model, read, asked).finally(() => tf.dispose([own, read]));
    found.ids.set(part.ids, start * top);
    found.logits.set(part.logits, start * top);
    found.logProbabilities.set(part.logProbabilities, start * top);
    found.entropies.set(part.entropies, start);
    if (part.followed === null) continue;
    followed.logits.set(part.followed.logits, start * tokens.length);
    followed.logProbabilities.set(part.followed.logProbabilities, start * tokens.length);
    followed.ranks.set(part.followed.ranks, start * tokens.length);
  }
  return { ...found, followed: tokens.length === 0 ? null : { ids: tokens, ...followed } };
}

/**
 * Refuses what no lens can list.
 *
 * @throws {ConfigError} as {@link lensStates}.
 */
export function assertLens(
  { architecture: { vocabularySize } }: Model,
  { top, tokens, partBytes }: Omit<LensRequest, 'signal'>,
): void {
  if (!(partBytes >= 4)) {
    throw new ConfigError(`weak-probe/lens: parts of ${partBytes} bytes.`, {
      help: 'Give 4 bytes at least, the size of one logit.',
    });
  }
  if (!(Number.isInteger(top) && top >= 1 && top <= vocabularySize)) {
    throw new ConfigError(`weak-probe/lens: top is ${top}.`, {
      help: `Give a whole number from 1 to ${vocabularySize}, the vocabulary.`,
    });
  }
  const wrong = tokens.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabularySize));
  if (wrong === undefined) return;
  throw new ConfigError(`weak-probe/lens: there is no token ${wrong}.`, {
    help: `Ids are 0 to ${vocabularySize - 1}.`,
  });
}

const normedTwice = () =>
  new ConfigError('weak-probe/lens: the last state was collected behind the final norm.', {
    help: 'Collect with states.isNormed false, or take the norm "official", which norms again.',
  });

function assertFinite(rows: Float32Array, width: number, state: number): void {
  const at = rows.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const row = Math.floor(at / width);
  throw new DataError(`weak-probe/lens: state ${state} of row ${row} has ${rows[at]}.`, {
    help: 'Leave the prompt out, or check the weights with "transformer validate".',
  });
}
