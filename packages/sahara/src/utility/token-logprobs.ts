/**
 * Log-probabilities of given tokens in given contexts.
 */
import { ModelError } from '@lab/core';
import { gatherRows, tf } from '@lab/tensor';
import { lengthGroups, type Model, passRules } from '@lab/transformer';
import type { PassChanges } from '../ablation.js';

/** Tokens, of which those from a place on are scored. */
export interface ScoredRow {
  readonly ids: readonly number[];
  /** First token that is scored, at least 1: it has a token before it. */
  readonly from: number;
}

/** How rows are computed. */
export interface LogprobOptions {
  readonly changes?: PassChanges | undefined;
  /** Tokens of a batch, padding counted; default 2048. */
  readonly batchTokens?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called behind each batch with the rows that are done. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Bytes of logits on the backend at once. */
const LOGIT_BYTES = 1 << 26;

/**
 * Natural log-probabilities of the tokens of each row from `from` on, given all before them.
 *
 * Rows of like length go together, filled up on the left. Logits are made of the tokens that
 * are scored alone, in float32; the log-sum-exp is float64.
 *
 * @returns one array a row, in their order.
 * @throws {ModelError} for a value that is not a number.
 */
export async function tokenLogprobs(
  model: Model,
  rows: readonly ScoredRow[],
  { changes, batchTokens = 2048, signal, onProgress }: LogprobOptions = {},
): Promise<Float64Array[]> {
  const groups = lengthGroups(rows.map(lengthOf), passRules(model, batchTokens));
  const found = new Array<Float64Array>(rows.length);
  let done = 0;
  for (const places of groups) {
    signal?.throwIfAborted();
    const scored = await batchLogprobs(
      model,
      places.map((at) => rows[at]!),
      { changes, signal },
    );
    places.forEach((place, at) => {
      found[place] = scored[at]!;
    });
    done += places.length;
    onProgress?.(done, rows.length);
  }
  return found;
}

/** Tokens that are read: the last one is only predicted. */
const lengthOf = ({ ids }: ScoredRow): number => ids.length - 1;

async function batchLogprobs(
  model: Model,
  rows: readonly ScoredRow[],
  { changes, signal }: Pick<LogprobOptions, 'changes' | 'signal'>,
): Promise<Float64Array[]> {
  const length = Math.max(...rows.map(lengthOf));
  const padding = (row: ScoredRow) => length - lengthOf(row);
  const fill = (count: number, value: number) => Array.from({ length: count }, () => value);
  const { residual } = await model.forward({
    ids: rows.map((row) => [...fill(padding(row), row.ids[0]!), ...row.ids.slice(0, -1)]),
    mask: rows.map((row) => [...fill(padding(row), 0), ...fill(lengthOf(row), 1)]),
    ...{ signal, logits: 'none' },
    ...(changes && { interventions: changes.interventions, hooks: changes.hooks }),
  });
  try {
    // The token before each scored one tells its probability.
    const asked = rows.flatMap((row, text) =>
      row.ids.slice(row.from).map((id, at) => ({
        id,
        place: text * length + padding(row) + row.from - 1 + at,
      })),
    );
    const values = await logprobsAt(model, residual, asked);
    let at = 0;
    return rows.map(({ ids, from }) => {
      const own = values.subarray(at, at + ids.length - from);
      at += own.length;
      return own;
    });
  } finally {
    residual.dispose();
  }
}

interface AskedToken {
  readonly id: number;
  /** Row of `[B T, D]`. */
  readonly place: number;
}

async function logprobsAt(
  model: Model,
  residual: tf.Tensor3D,
  asked: readonly AskedToken[],
): Promise<Float64Array> {
  const { layerCount, vocabularySize, width } = model.architecture;
  const most = Math.max(1, Math.floor(LOGIT_BYTES / (4 * vocabularySize)));
  const found = new Float64Array(asked.length);
  for (let start = 0; start < asked.length; start += most) {
    const part = asked.slice(start, start + most);
    const picked = tf.tidy(() => {
      const [batch, length] = residual.shape;
      const rows = tf.reshape(residual, [batch * length, width]);
      const places = tf.tensor1d(
        Int32Array.from(part, ({ place }) => place),
        'int32',
      );
      return tf.reshape(gatherRows(rows as tf.Tensor2D, places), [part.length, 1, width]);
    });
    try {
      // No block runs: what is behind the last one is given.
      const end = await model.forward({
        ids: part.map(() => [0]),
        residual: picked as tf.Tensor3D,
        ...{ startBlock: layerCount, logits: 'all' },
      });
      const logits = (await end.logits!.data()) as Float32Array;
      end.dispose();
      part.forEach(({ id }, at) => {
        const own = logits.subarray(at * vocabularySize, (at + 1) * vocabularySize);
        found[start + at] = logprobOf(own, id);
      });
    } finally {
      picked.dispose();
    }
  }
  return found;
}

function logprobOf(logits: Float32Array, id: number): number {
  let most = -Infinity;
  for (const logit of logits) if (logit > most) most = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - most);
  const value = logits[id]! - most - Math.log(sum);
  if (Number.isFinite(value)) return value;
  throw new ModelError(`sahara/utility: the log-probability of token ${id} is ${value}.`, {
    help: 'Values may have overflown: load the checkpoint in float32, or another one.',
  });
}
