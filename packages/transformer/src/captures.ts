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
  const data = (await value.data()) as Float32Array;
  // What wasm gives is a copy of its heap; elsewhere it may be the tensor's own memory.
  const isCopy = tf.getBackend() === 'wasm';
  return { shape: value.shape, data: isCopy ? data : data.slice() };
}

/** Values by the own names of their places; `get` and `has` take every other name, too. */
class PlaceValues extends Map<string, Captured> {
  constructor(private readonly nameOf: (name: string) => string) {
    super();
  }

  override get(name: string): Captured | undefined {
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
}

/** Copies of values at some places. */
export class Captures {
  readonly found: Map<string, Captured>;
  readonly hooks: readonly Hook[];
  private readonly pending = new Map<string, tf.Tensor>();

  constructor(names: HookNames | undefined, { nameOf, lastTokens }: CaptureRules = {}) {
    this.found = new PlaceValues(nameOf ?? ((name) => name));
    const run = (value: tf.Tensor, { name }: { readonly name: string }) => {
      const own = lastTokens === undefined ? tf.clone(value) : ofTokens(value, lastTokens, name);
      this.pending.set(name, tf.keep(own));
    };
    const hook = { names: (name: string) => names !== undefined && isNamed(names, name), run };
    const last: LastTokenHook | null = lastTokens === undefined ? null : { ...hook, lastTokens };
    this.hooks = names === undefined ? [] : [last ?? hook];
  }

  /** Brings what is pending into the host's memory. */
  async fetch(): Promise<void> {
    for (const [name, value] of this.pending) {
      this.found.set(name, await capturedOf(value));
    }
    this.dispose();
  }

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
  return oneToken(value, tokens);
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
