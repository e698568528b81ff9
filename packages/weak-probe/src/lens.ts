/**
 * What the output would say of every state: the logit lens over a set of prompts.
 */
import { ConfigError, DataError } from '@lab/core';
import { logSoftmax, tf } from '@lab/tensor';
import type { Model } from '@lab/transformer';
import { normedRows, rowLogits } from './row-output.js';
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
 * Numbers of logits that are there at once, about: 64 MiB, and some copies while they are read;
 * more where the output's weights are read anew for each part.
 */
const mostLogits = ({ residency }: Model) => 2 ** (residency === 'resident' ? 24 : 26);

/**
 * The logit lens of every state, state by state: `lens_l(x) = Norm(u_l(x)) W_U`.
 *
 * So many prompts are read at a time that their logits fit into memory; no more than the listed
 * tokens of one state is kept.
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
  const { signal, onProgress } = options;
  const last = rows.stateCount - 1;
  const { states = Array.from({ length: last + 1 }, (_, state) => state) } = options;
  assertLens(model, { top, tokens });
  if (areNormed && norm === 'once') throw normedTwice();
  for (const state of states) assertState(state, rows.stateCount);
  assertOfModel(model, rows, 'weak-probe/lens');
  for (const [done, state] of states.entries()) {
    signal?.throwIfAborted();
    const isDouble = norm === 'official' && state === last && !areNormed;
    const given = await rows.readState(state);
    assertFinite(given, rows.width, state);
    yield await stateLens(model, given, { state, top, tokens, isDouble, signal });
    onProgress?.(done + 1, states.length);
  }
}

interface StateReading {
  readonly state: number;
  readonly top: number;
  readonly tokens: readonly number[];
  readonly isDouble: boolean;
  readonly signal: AbortSignal | undefined;
}

async function stateLens(
  model: Model,
  rows: Float32Array,
  { state, top, tokens, isDouble, signal }: StateReading,
): Promise<StateLens> {
  const { width } = model.architecture;
  const count = rows.length / width;
  const [listed, all] = [count * top, count * tokens.length];
  const found = {
    ...{ ids: new Int32Array(listed), logits: new Float32Array(listed) },
    ...{ logProbabilities: new Float32Array(listed), entropies: new Float32Array(count) },
  };
  const followed = {
    ...{ logits: new Float32Array(all), logProbabilities: new Float32Array(all) },
    ranks: new Int32Array(all),
  };
  for await (const { start, logits } of logitParts(model, rows, { isDouble, signal })) {
    const part = await readLogits(logits, { top, tokens });
    found.ids.set(part.ids, start * top);
    found.logits.set(part.logits, start * top);
    found.logProbabilities.set(part.logProbabilities, start * top);
    found.entropies.set(part.entropies, start);
    if (part.followed === null) continue;
    followed.logits.set(part.followed.logits, start * tokens.length);
    followed.logProbabilities.set(part.followed.logProbabilities, start * tokens.length);
    followed.ranks.set(part.followed.ranks, start * tokens.length);
  }
  return {
    ...{ state, top, ids: found.ids, logits: found.logits },
    logProbabilities: found.logProbabilities,
    entropies: found.entropies,
    followed: tokens.length === 0 ? null : { ids: tokens, ...followed },
  };
}

/** Logits of some rows, `[n, V]`. */
interface LogitPart {
  /** First of the rows. */
  readonly start: number;
  /** Freed when the next part is asked for. */
  readonly logits: tf.Tensor2D;
}

/** Logits of rows, so many at a time that they fit; the final norm is the model's own. */
async function* logitParts(
  model: Model,
  rows: Float32Array,
  { isDouble, signal }: Pick<StateReading, 'isDouble' | 'signal'>,
): AsyncGenerator<LogitPart> {
  const { width, vocabularySize } = model.architecture;
  const count = rows.length / width;
  const step = Math.max(1, Math.floor(mostLogits(model) / vocabularySize));
  for (let start = 0; start < count; start += step) {
    signal?.throwIfAborted();
    const size = Math.min(step, count - start);
    const own = tf.tensor2d(rows.subarray(start * width, (start + size) * width), [size, width]);
    const read = isDouble ? await normedRows(model, own) : own;
    const logits = await rowLogits(model, read);
    tf.dispose([own, read]);
    try {
      yield { start, logits };
    } finally {
      logits.dispose();
    }
  }
}

/** What is read off logits `[n, V]`. */
async function readLogits(
  logits: tf.Tensor2D,
  { top, tokens }: Pick<StateReading, 'tokens' | 'top'>,
): Promise<Omit<StateLens, 'state' | 'top'>> {
  const found = tf.tidy(() => {
    const shares = logSoftmax(logits);
    const best = tf.topk(logits, top);
    const normaliser = tf.sub(tf.slice(logits, [0, 0], [-1, 1]), tf.slice(shares, [0, 0], [-1, 1]));
    return {
      ...{ normaliser, ids: best.indices, logits: best.values },
      logProbabilities: tf.sub(best.values, normaliser),
      entropies: tf.neg(tf.sum(tf.mul(tf.exp(shares), shares), 1)),
    };
  });
  const followed =
    tokens.length === 0 ? null : await followedIn(logits, { tokens, normaliser: found.normaliser });
  const read = {
    ids: await integersOf(found.ids),
    logits: await floatsOf(found.logits),
    logProbabilities: await floatsOf(found.logProbabilities),
    entropies: await floatsOf(found.entropies),
    followed,
  };
  tf.dispose(found);
  return read;
}

async function followedIn(
  logits: tf.Tensor2D,
  { tokens, normaliser }: { readonly tokens: readonly number[]; readonly normaliser: tf.Tensor },
): Promise<FollowedTokens> {
  const found = tf.tidy(() => {
    const columns = tf.gather(logits, [...tokens], 1);
    return { columns, shares: tf.sub(columns, normaliser), ranks: ranksOf(logits, columns) };
  });
  const read = {
    ids: tokens,
    logits: await floatsOf(found.columns),
    logProbabilities: await floatsOf(found.shares),
    ranks: await integersOf(found.ranks),
  };
  tf.dispose(found);
  return read;
}

const floatsOf = async (value: tf.Tensor) => Float32Array.from(await value.data());
const integersOf = async (value: tf.Tensor) => Int32Array.from(await value.data());

/** Rank of each column's logit within its row, `[n, M]`. */
function ranksOf(logits: tf.Tensor2D, columns: tf.Tensor): tf.Tensor {
  const count = columns.shape[1]!;
  const parts = Array.from({ length: count }, (_, at) => {
    const own = tf.slice(columns, [0, at], [-1, 1]);
    return tf.sum(tf.cast(tf.greater(logits, own), 'int32'), 1, true);
  });
  return tf.add(tf.concat(parts, 1), 1);
}

function assertLens(
  { architecture: { vocabularySize } }: Model,
  { top, tokens }: Pick<StateReading, 'tokens' | 'top'>,
): void {
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
