/**
 * Values copied from inside a forward pass into the host's memory.
 */
import { tf } from '@lab/tensor';
import { type Hook, type HookNames, isNamed } from './hooks.js';

/** A value copied from inside. */
export interface Captured {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Copies of values at some places. */
export class Captures {
  readonly found = new Map<string, Captured>();
  readonly hooks: readonly Hook[];
  private readonly pending = new Map<string, tf.Tensor>();

  constructor(names: HookNames | undefined) {
    const run = (value: tf.Tensor, { name }: { readonly name: string }) => {
      this.pending.set(name, tf.keep(tf.clone(value)));
    };
    this.hooks = names === undefined ? [] : [{ names: (name) => isNamed(names, name), run }];
  }

  /** Brings what is pending into the host's memory. */
  async fetch(): Promise<void> {
    for (const [name, value] of this.pending) {
      const data = (await value.data()) as Float32Array;
      this.found.set(name, { shape: value.shape, data: data.slice() });
    }
    this.dispose();
  }

  dispose(): void {
    for (const value of this.pending.values()) value.dispose();
    this.pending.clear();
  }
}
