/**
 * Values copied from inside a forward pass into the host's memory.
 */
import { gatherRows, tf } from '@lab/tensor';
import { type Hook, type HookNames, isNamed, type LastTokenHook } from './hooks.js';

/** A value copied from inside. */
export interface Captured {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A copy of a tensor in the host's memory. */
export async function capturedOf(value: tf.Tensor): Promise<Captured> {
  const data = (await value.data()) as Float32Array | Int32Array;
  if (!(data instanceof Float32Array)) return { shape: value.shape, data: Float32Array.from(data) };
  // What wasm gives is a copy of its heap; elsewhere it may be the tensor's own memory.
  const isCopy = tf.getBackend() === 'wasm';
  return { shape: value.shape, data: isCopy ? data : data.slice() };
}

/** Values by the own names of their places; `get` and `has` take every other name, too. */
class PlaceValues<T> extends Map<string, T> {
  constructor(private readonly nameOf: (name: string) => string) {
    super();
  }

  override get(name: string): T | undefined {
    return super.get(this.nameOf(name));
  }

  override has(name: string): boolean {
    return super.has(this.nameOf(name));
  }
}

/** How values are copied. */
export interface CaptureRules {
  /** Own name of the place that a name stands for; default the name. */
  readonly nameOf?: ((name: string) => string) | undefined;
  /** Rows in `[B T]` of the tokens that are copied, one of each text; default all. */
  readonly lastTokens?: Int32Array | undefined;
  /** Whether values stay on the backend, the taker's to free; default false. */
  readonly areTensors?: boolean | undefined;
}

/** Copies of values at some places. */
export class Captures {
  readonly found: Map<string, Captured>;
  /** Those that stay on the backend. */
  readonly tensors: Map<string, tf.Tensor>;
  readonly hooks: readonly Hook[];
  private readonly pending = new Map<string, tf.Tensor>();
  private readonly areTensors: boolean;

  constructor(
    names: HookNames | undefined,
    { nameOf = (name) => name, lastTokens, areTensors = false }: CaptureRules = {},
  ) {
    this.found = new PlaceValues(nameOf);
    this.tensors = new PlaceValues(nameOf);
    this.areTensors = areTensors;
    const run = (value: tf.Tensor, { name }: { readonly name: string }) => {
      const own = lastTokens === undefined ? tf.clone(value) : ofTokens(value, lastTokens, name);
      this.pending.set(name, tf.keep(own));
    };
    const hook = { names: (name: string) => names !== undefined && isNamed(names, name), run };
    const last: LastTokenHook | null = lastTokens === undefined ? null : { ...hook, lastTokens };
    this.hooks = names === undefined ? [] : [last ?? hook];
  }

  /** Brings what is pending to where it is to be. */
  async fetch(): Promise<void> {
    for (const [name, value] of this.pending) {
      if (this.areTensors) this.tensors.set(name, value);
      else this.found.set(name, await capturedOf(value));
    }
    if (this.areTensors) this.pending.clear();
    else this.dispose();
  }

  /** Frees values that nobody will take. */
  giveUp(): void {
    for (const value of this.tensors.values()) value.dispose();
    this.dispose();
  }

  /** Frees what is still pending. */
  dispose(): void {
    for (const value of this.pending.values()) value.dispose();
    this.pending.clear();
  }
}

/** A value at one token of each text: its axis of tokens, or of queries, has one place then. */
function ofTokens(value: tf.Tensor, tokens: Int32Array, name: string): tf.Tensor {
  const isOfPairs = /\.hook_(attn_scores_raw|attn_scores|pattern)$/.test(name);
  if (isOfPairs) {
    const apart = oneToken(tf.transpose(value, [0, 2, 1, 3]), tokens);
    return tf.transpose(apart, [0, 2, 1, 3]);
  }
  if (value.dtype === 'float32') return oneToken(value, tokens);
  return tf.cast(oneToken(tf.cast(value, 'float32'), tokens), value.dtype);
}

/**
 * Rows of one token of each text.
 *
 * @param value - `[B, T, ...]`; a value of one token a text already is taken as it is.
 * @param tokens - rows in `[B T]`.
 * @returns `[B, 1, ...]`.
 */
export function oneToken(value: tf.Tensor, tokens: Int32Array): tf.Tensor {
  const [batch, length, ...rest] = value.shape as [number, number, ...number[]];
  if (length === 1) return tf.clone(value);
  const rows = tf.reshape(value, [batch * length, tf.util.sizeFromShape(rest)]) as tf.Tensor2D;
  return tf.reshape(gatherRows(rows, tf.tensor1d(tokens, 'int32')), [batch, 1, ...rest]);
}
