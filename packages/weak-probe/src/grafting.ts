/**
 * Logit Grafting: a state of one prompt put into the pass of another.
 */
import { ConfigError, ShapeError } from '@lab/core';
import { tf } from '@lab/tensor';
import type { Intervention, Model } from '@lab/transformer';
import type { EncodedPrompt } from './hidden-states.js';
import { rowOf } from './state-rows.js';
import { assertState } from './state-store.js';

type Architecture = Model['architecture'];

/** How a state is put in. */
export interface GraftSettings {
  /** l, 1 or above with `official`: 0 the embedding, k behind block k - 1. */
  readonly state: number;
  /**
   * `clean`: blocks run as they are, then the last position is replaced. `official`: what released
   * code does: block l - 1 makes its keys and values and is left out for all tokens, the last one
   * is replaced. Default `clean`.
   */
  readonly semantics?: 'clean' | 'official' | undefined;
  /** a in `(1 - a) u + a g`, 0..1; with `official` u is what goes into block l - 1. Default 1. */
  readonly share?: number | undefined;
  /** Whether g is brought to the length of u at the last position before; default false. */
  readonly isNormMatched?: boolean | undefined;
  /** Positions in the prompt, from its end where negative; default [-1], the last. */
  readonly positions?: readonly number[] | undefined;
}

/** How long it stays, in a generation. */
export interface GraftSpan {
  /** First tokens of the response made under it; each later one gets it, too. Default 1. */
  readonly steps?: number | undefined;
  /**
   * `fresh`: behind these steps the text so far is read again as it is, and goes on unchanged;
   * `kept`: what was grafted stays in the keys and values, as with a cache that nobody clears.
   * Default `fresh`.
   */
  readonly context?: 'fresh' | 'kept' | undefined;
}

/** A graft of one prompt. */
export interface Graft extends GraftSettings, GraftSpan {
  /** g, `[D]`. */
  readonly vector: ArrayLike<number>;
  /** Tokens of the prompt. */
  readonly promptLength: number;
  /** Length of u at the last token of the prompt; needed with `isNormMatched`. */
  readonly ownNorm?: number | undefined;
}

/**
 * A graft as interventions of a generation.
 *
 * Source: ydyjya/LLM-IHS-Explanation, the edited Llama forward pass, for `official`.
 * Deviation: released code leaves its flag to the caller, and the graft comes back with every token
 * while it is on; here `steps` and `context` say how long it stays.
 *
 * @throws {ConfigError} for a state, share, step or position that is not there.
 * @throws {ShapeError} for a vector of another width than the model's.
 */
export function graftInterventions(architecture: Architecture, graft: Graft): Intervention[] {
  const { steps = 1, context = 'fresh', promptLength, semantics = 'clean', state } = graft;
  assertGraft(architecture, graft);
  if (!(Number.isInteger(steps) && steps >= 1)) {
    throw new ConfigError(`weak-probe/graft: steps is ${steps}.`, { help: 'Give 1 or more.' });
  }
  const span = {
    positions: [...promptPositions(graft), ...range(promptLength, promptLength + steps - 1)],
    steps: context === 'kept' ? undefined : range(0, steps),
  };
  const left: Intervention[] =
    semantics === 'clean'
      ? []
      : ['hook_attn_out', 'hook_mlp_out'].map((place) => ({
          ...{ kind: 'zero', site: `blocks.${state - 1}.${place}` },
          ...{ positions: range(0, promptLength + steps - 1), steps: span.steps },
        }));
  const site = state === 0 ? 'blocks.0.hook_resid_pre' : `blocks.${state - 1}.hook_resid_post`;
  return [...left, ...replacement(graft).map((change) => ({ ...change, site, ...span }))];
}

/** What is done with the value at the graft's place. */
function replacement(graft: Graft): Pick<Intervention, 'kind' | 'value'>[] {
  const { share = 1, isNormMatched = false, ownNorm } = graft;
  if (isNormMatched && ownNorm === undefined) {
    throw new ConfigError('weak-probe/graft: isNormMatched needs the length of the own state.', {
      help: 'Give ownNorm.',
    });
  }
  const scale = isNormMatched ? ownNorm! / lengthOf(graft.vector) : 1;
  const scaled = Array.from(graft.vector, (value) => value * scale * share);
  if (share === 1) return [{ kind: 'patch', value: scaled }];
  return [
    { kind: 'scale', value: 1 - share },
    { kind: 'add', value: scaled },
  ];
}

function promptPositions({ positions = [-1], promptLength }: Graft): number[] {
  return positions.map((position) => {
    const own = position < 0 ? promptLength + position : position;
    if (Number.isInteger(own) && own >= 0 && own < promptLength) return own;
    throw new ConfigError(
      `weak-probe/graft: there is no position ${position} in a prompt of ${promptLength} tokens.`,
      { help: `Give ${-promptLength} to ${promptLength - 1}.` },
    );
  });
}

/** Length of a vector. */
export const lengthOf = (vector: ArrayLike<number>): number =>
  Math.sqrt(Array.from(vector).reduce((sum, value) => sum + value * value, 0));

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(to - from, 0) }, (_, at) => from + at);

/**
 * Checks what a graft and its sweeps have in common.
 *
 * @throws as {@link graftInterventions}.
 */
export function assertGraft(
  { layerCount, width }: Pick<Architecture, 'layerCount' | 'width'>,
  { state, semantics, share = 1, vector }: GraftSettings & Pick<Partial<Graft>, 'vector'>,
): void {
  assertState(state, layerCount + 1);
  if (semantics === 'official' && state === 0) {
    throw new ConfigError('weak-probe/graft: state 0 has no block before it to leave out.', {
      help: `Give a state from 1 to ${layerCount}, or take the clean semantics.`,
    });
  }
  if (!(share >= 0 && share <= 1)) {
    throw new ConfigError(`weak-probe/graft: share is ${share}.`, { help: 'Give 0 to 1.' });
  }
  if (vector === undefined || vector.length === width) return;
  throw new ShapeError(
    `weak-probe/graft: the vector has ${vector.length} numbers, states of the model ${width}.`,
    { expected: width, got: vector.length, help: 'Take a donor from the same model.' },
  );
}

/** Residuals of a batch around the place of a graft, `[B, T, D]`. */
export interface GraftPlace {
  /** Behind l blocks. */
  readonly residual: tf.Tensor3D;
  /** Behind l - 1 blocks; null for l = 0. */
  readonly before: tf.Tensor3D | null;
}

/**
 * The residual with its last position, or those named, grafted: what goes into block l. The same as
 * {@link graftInterventions} at the first step; what comes before is computed once for many grafts.
 *
 * @param vectors - of each prompt of the batch, `[B, D]`.
 * @returns `[B, T, D]`, for the caller to dispose.
 * @throws {ConfigError} for positions that are not counted from the end.
 */
export function graftedResidual(
  { residual, before }: GraftPlace,
  vectors: Float32Array,
  { semantics = 'clean', share = 1, isNormMatched = false, positions = [-1] }: GraftMixture,
): tf.Tensor3D {
  const [batch, length, width] = residual.shape;
  const isAt = placesFromEnd(positions, length);
  return tf.tidy(() => {
    const own = tf.slice(residual, [0, length - 1, 0], [batch, 1, width]);
    const given = tf.tensor3d(vectors, [batch, 1, width]);
    const donor = isNormMatched
      ? tf.mul(given, tf.div(tf.norm(own, 2, -1, true), tf.norm(given, 2, -1, true)))
      : given;
    const rest = semantics === 'official' ? before! : residual;
    const mixed =
      share === 1
        ? tf.tile(donor, [1, length, 1])
        : tf.add(tf.mul(rest, 1 - share), tf.mul(donor, share));
    const mask = tf.tile(tf.tensor(isAt, [1, length, 1], 'bool'), [batch, 1, width]);
    return tf.where(mask, mixed, rest) as tf.Tensor3D;
  });
}

/** How a vector is mixed in. */
type GraftMixture = Omit<GraftSettings, 'state'>;

/** 1 for each place of a batch that is grafted; its prompts end together. */
function placesFromEnd(positions: readonly number[], length: number): Uint8Array {
  assertFromEnd(positions, length);
  const isAt = new Uint8Array(length);
  for (const position of positions) isAt[length + position] = 1;
  return isAt;
}

/**
 * Refuses positions that a prompt does not have: in a batch they would be padding before it.
 *
 * @throws {ConfigError} for positions that are not counted from the end, or lie before a prompt.
 */
export function assertPositions(
  prompts: readonly EncodedPrompt[],
  positions: readonly number[] = [-1],
): void {
  for (const { id, ids } of prompts) assertFromEnd(positions, ids.length, ` of prompt ${id}`);
}

function assertFromEnd(positions: readonly number[], length: number, of = ''): void {
  for (const position of positions) {
    if (Number.isInteger(position) && position < 0 && position >= -length) continue;
    throw new ConfigError(`weak-probe/graft: position ${position} of ${length} tokens${of}.`, {
      help: `Count from the end of the prompts: ${-length} to -1.`,
    });
  }
}

/** Length of each row, `[N]`. */
export const rowNorms = (rows: Float32Array, width: number): Float64Array =>
  Float64Array.from({ length: rows.length / width }, (_, row) => lengthOf(rowOf(rows, row, width)));
