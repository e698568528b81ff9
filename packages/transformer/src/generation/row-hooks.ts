/**
 * Hooks of each text of a pass, which sees its own tokens alone.
 */
import { tf } from '@lab/tensor';
import { type Hook, HookRunner } from '../hooks.js';
import type { Segment } from './segment.js';

/** What a hook of one text threw: others of the pass are not to fail with it. */
export class HookFailure extends Error {
  constructor(
    /** The runner whose hook it was. */
    readonly hooks: HookRunner,
    override readonly cause: unknown,
  ) {
    super('a hook failed');
  }
}

/** Where the new tokens of a text stand. */
export interface RowPlace {
  readonly step: number;
  readonly start: number;
  /** Position of the last new token. */
  readonly last: number;
}

/** The hooks of one text in one pass. */
export class RowHooks extends HookRunner {
  private readonly atLast: HookRunner;

  constructor(hooks: readonly Hook[], { step, start, last }: RowPlace) {
    super(hooks, { step, start });
    this.atLast = new HookRunner(hooks, { step, start: last });
  }

  override run<T extends tf.Tensor>(name: string, value: T, block: number | null = null): T {
    try {
      // Logits are those of the last token alone.
      if (name === 'hook_logits') return this.atLast.run(name, value, block);
      return super.run(name, value, block);
    } catch (cause) {
      throw new HookFailure(this, cause);
    }
  }
}

/** The hooks of all texts of a pass, at values `[1, N, ...]` with the tokens of all in a row. */
export class SegmentHooks extends HookRunner {
  constructor(private readonly segments: readonly Segment[]) {
    super([]);
  }

  override get isEmpty(): boolean {
    return this.segments.every(({ hooks }) => hooks.isEmpty);
  }

  override wants(name: string): boolean {
    return this.segments.some(({ hooks }) => hooks.wants(name));
  }

  override onlyLast(): null {
    return null;
  }

  override run<T extends tf.Tensor>(name: string, value: T, block: number | null = null): T {
    if (!this.wants(name)) return value;
    const isLogits = name === 'hook_logits';
    const own = isLogits ? this.segments.filter(({ isWanted }) => isWanted) : this.segments;
    const sizes = own.map(({ ids }) => (isLogits ? 1 : ids.length));
    const parts = tf.split(value, sizes, 1);
    return tf.concat(
      own.map(({ hooks }, at) => hooks.run(name, parts[at]!, block)),
      1,
    ) as T;
  }
}
