/**
 * Places inside a forward pass where a value can be read or replaced.
 *
 * Names and shapes are those of TransformerLens.
 */
import { ConfigError, ShapeError } from '@lab/core';
import { tf } from '@lab/tensor';

/** Where a hook was called. */
export interface HookPoint {
  readonly name: string;
  /** Block, or null outside of the blocks. */
  readonly block: number | null;
  /** Of a generation: the pass that gives the first new token is step 0. */
  readonly step?: number;
  /** Of a generation: position in its text of the first token of the value. */
  readonly start?: number;
  /** Of a padded batch: 1 for a token, 0 for padding, `[B, T]` of the tokens that the value has. */
  readonly mask?: Uint8Array | undefined;
}

/** What hooks are told at every place of a pass. */
export type PassPlace = Pick<HookPoint, 'mask' | 'start' | 'step'>;

/**
 * Reads a value, and may return another of the same shape in its place. Called synchronously; what
 * it makes is freed with the block, so that a value to be kept is to be cloned with `tf.keep`.
 */
export type HookFunction = (value: tf.Tensor, point: HookPoint) => tf.Tensor | void;

/**
 * Which places are meant: one, by any of its names; all whose own name matches; or all whose own
 * name a function takes. A name that no place has is an error; patterns may match none, and mean
 * optional places ({@link isOptional}) only where they hold the end of their names.
 */
export type HookNames = string | RegExp | ((name: string) => boolean);

/** A function and the places where it is called, in the order in which hooks are given. */
export interface Hook {
  readonly names: HookNames;
  readonly run: HookFunction;
}

/** A hook that looks at one token of each text, and changes nothing. */
export interface LastTokenHook extends Hook {
  /** Rows of those tokens in `[B T]`. */
  readonly lastTokens: Int32Array;
}

const OPTIONAL = /^(?:hook_tokens|blocks\.\d+\.hook_(?:attn_in|mlp_in|[qkv]_input))$/;

/** Whether a place is made for those alone who name it: it is large, or holds ids. */
export const isOptional = (name: string): boolean => OPTIONAL.test(name);

/** Whether a name is meant. */
export function isNamed(names: HookNames, name: string): boolean {
  if (typeof names === 'string') return names === name;
  return isOptional(name) ? holds(names, name) : takes(names, name);
}

/**
 * Whether a pattern takes a name of an optional place, and not with any other end: then it means
 * this place, and not just many.
 */
export const holds = (names: Exclude<HookNames, string>, name: string): boolean =>
  takes(names, name) && !takes(names, name.replace(/(?:in|input|tokens)$/, 'other'));

const takes = (names: Exclude<HookNames, string>, name: string): boolean =>
  typeof names === 'function' ? names(name) : names.test(name);

/** The hooks of one forward pass. */
export class HookRunner {
  private readonly known = new Map<string, readonly Hook[]>();

  /** @param place - what hooks are told at every place. */
  constructor(
    private readonly hooks: readonly Hook[],
    private readonly place: PassPlace = {},
  ) {}

  /** Whether nothing is called anywhere. */
  get isEmpty(): boolean {
    return this.hooks.length === 0;
  }

  /** Whether anything is called at a place. */
  wants(name: string): boolean {
    return this.at(name).length > 0;
  }

  /** Rows of the tokens that are looked at, where no more is done at a place; else null. */
  onlyLast(name: string): Int32Array | null {
    const hooks = this.at(name);
    const isLast = (hook: Hook): hook is LastTokenHook => 'lastTokens' in hook;
    return hooks.every(isLast) ? (hooks[0]?.lastTokens ?? null) : null;
  }

  private at(name: string): readonly Hook[] {
    if (this.hooks.length === 0) return this.hooks;
    let found = this.known.get(name);
    if (found === undefined) {
      found = this.hooks.filter(({ names }) => isNamed(names, name));
      this.known.set(name, found);
    }
    return found;
  }

  /** The value after all hooks of its place; within a tidy. */
  run<T extends tf.Tensor>(name: string, value: T, block: number | null = null): T {
    let current: tf.Tensor = value;
    for (const { run } of this.at(name)) {
      const result = run(current, { name, block, ...this.place });
      if (result === undefined) continue;
      if (!(result instanceof tf.Tensor)) {
        throw new ConfigError(`transformer/hook ${name}: returned no tensor.`, {
          help: 'Return a tensor or nothing; a function that is async returns neither.',
        });
      }
      if (result.shape.join() !== value.shape.join() || result.dtype !== value.dtype) {
        throw new ShapeError(
          `transformer/hook ${name}: returned ${result.dtype} [${result.shape.join(', ')}], ` +
            `the value is ${value.dtype} [${value.shape.join(', ')}].`,
          { expected: `[${value.shape.join(', ')}]`, got: `[${result.shape.join(', ')}]` },
        );
      }
      current = result;
    }
    return current as T;
  }

  /** As `run`, of heads `[B, H, T, F]`, which hooks see as `[B, T, H, F]`. */
  runHeads(name: string, value: tf.Tensor4D, block: number): tf.Tensor4D {
    if (!this.wants(name)) return value;
    const seen = this.run(name, tf.transpose(value, [0, 2, 1, 3]), block);
    return tf.transpose(seen, [0, 2, 1, 3]);
  }
}
