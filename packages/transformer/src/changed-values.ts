/**
 * What an intervention makes of a value, at whatever place it is.
 */
import { ConfigError } from '@lab/core';
import { tf } from '@lab/tensor';
import type { Hook } from './hooks.js';
import type { Intervention, InterventionKind } from './interventions.js';

/** A place that an intervention names. */
export interface ChangedPlace {
  /** Own name of the hook. */
  readonly name: string;
  /** Heads that are changed; null for all. */
  readonly heads: readonly number[] | null;
}

/** An error about an intervention. */
export const problem = (change: Pick<Intervention, 'kind' | 'site'>, what: string, help: string) =>
  new ConfigError(`transformer/intervention ${change.kind} of ${change.site}: ${what}.`, { help });

/** Axis of the heads at a place, or null where there are none. */
export function headAxis(name: string): number | null {
  if (/attn\.hook_(attn_scores_raw|attn_scores|pattern)$/.test(name)) return 1;
  if (/^blocks\.\d+\.hook_(attn_in|[qkv]_input)$/.test(name)) return 2;
  return /attn\.hook_([qkvz]|[kv]_heads|rot_q|rot_k|rot_k_heads|result)$/.test(name) ? 2 : null;
}

/**
 * The hook that makes a change at a place.
 *
 * Even attention is scores that are all the same before the mask: what a query may not see stays
 * hidden, padding and what is outside of a window as well.
 *
 * @throws {ConfigError} for a value that does not fit the kind.
 */
export function changeHook(change: Intervention, { name, heads }: ChangedPlace): Hook {
  const axis = headAxis(name);
  const { kind, site } = change;
  if (kind === 'uniform' && axis !== 1) {
    throw problem(change, 'only scores and pattern can be', 'Take the site scores or pattern.');
  }
  assertValue(change);
  const { value } = change;
  const numbers = typeof value === 'object' ? Float32Array.from(value) : value;
  const names =
    kind === 'uniform' ? name.replace(/hook_(attn_scores|pattern)$/, 'hook_attn_scores_raw') : name;
  return {
    names,
    run: (before, { start, step = 0, mask }) => {
      if (change.steps?.includes(step) === false) return before;
      const made = changedValue(before, { kind, site, numbers }, { axis, mask });
      const changed = made.dtype === before.dtype ? made : tf.cast(made, before.dtype);
      return chosen(before, changed, { heads, axis, positions: change.positions, start });
    },
  };
}

/** What `value` must be of each kind. */
const VALUES: Readonly<Record<InterventionKind, 'list' | 'none' | 'number' | 'number or list'>> = {
  scale: 'number',
  zero: 'none',
  mean: 'none',
  uniform: 'none',
  patch: 'number or list',
  add: 'number or list',
  'project-out': 'list',
};

function assertValue(change: Intervention): void {
  const { kind, value } = change;
  const got = value === undefined ? 'none' : typeof value === 'number' ? 'number' : 'list';
  const wanted = VALUES[kind];
  const numbers = Array.from(typeof value === 'object' ? value : [value ?? 0]);
  if (!wanted.split(' or ').includes(got)) {
    const shown = JSON.stringify(typeof value === 'object' ? numbers : value)?.slice(0, 40);
    const what = shown ?? 'not given';
    throw problem(change, `value is ${what}`, `It must be: ${wanted}.`);
  }
  const at = numbers.findIndex((one) => !Number.isFinite(one));
  if (at >= 0) throw problem(change, `value holds ${numbers[at]}`, 'Give numbers.');
  if (kind === 'project-out' && numbers.every((one) => one === 0)) {
    throw problem(change, 'the direction is zero', 'Give one of some length.');
  }
}

/** What a value is of, beside the change. */
interface Tokens {
  /** Of the heads. */
  readonly axis: number | null;
  readonly mask: Uint8Array | undefined;
}

/** A change, its numbers ready for the backend. */
interface NumberedChange extends Pick<Intervention, 'kind' | 'site'> {
  readonly numbers: Float32Array | number | undefined;
}

/** The value as it would be if all of it were changed. */
function changedValue(x: tf.Tensor, change: NumberedChange, tokens: Tokens): tf.Tensor {
  const { kind, numbers } = change;
  const given = (): tf.Tensor =>
    typeof numbers === 'object'
      ? tf.tensor(numbers, fitShape(x, change, numbers.length))
      : tf.scalar(numbers!);
  switch (kind) {
    case 'scale':
      return tf.mul(x, numbers as number);
    case 'zero':
    case 'uniform':
      return tf.zerosLike(x);
    case 'mean':
      return tf.add(tf.zerosLike(x), meanOfTokens(x, tokens));
    case 'patch':
      return tf.add(tf.zerosLike(x), given());
    case 'add':
      return tf.add(x, given());
    case 'project-out': {
      const direction = tf.div(given(), tf.norm(given()));
      const along = tf.sum(tf.mul(x, direction), -1, true);
      return tf.sub(x, tf.mul(along, direction));
    }
  }
}

/** Axis of tokens, or of the queries of scores, by that of the heads. */
const tokenAxisOf = (axis: number | null): number => (axis === 1 ? 2 : 1);

/** The mean over the tokens that count; of a text without any it is 0. */
function meanOfTokens(x: tf.Tensor, { axis, mask }: Tokens): tf.Tensor {
  const tokenAxis = tokenAxisOf(axis);
  const length = x.shape[tokenAxis]!;
  // One token of each text is its last, which counts.
  if (mask === undefined || length === 1) return tf.mean(x, tokenAxis, true);
  const shape = x.shape.map((size, at) => (at === 0 || at === tokenAxis ? size : 1));
  const counts = tf.tensor(Float32Array.from(mask), shape);
  const sum = tf.sum(tf.mul(x, counts), tokenAxis, true);
  return tf.div(sum, tf.maximum(tf.sum(counts, tokenAxis, true), 1));
}

/**
 * Shape that a list of numbers stands for: all of the value, or its last axes; a direction is one
 * of the last axis.
 */
function fitShape(x: tf.Tensor, change: NumberedChange, length: number): number[] {
  const isDirection = change.kind === 'project-out';
  for (let from = x.rank - 1; from >= (isDirection ? x.rank - 1 : 0); from -= 1) {
    const shape = x.shape.slice(from);
    if (tf.util.sizeFromShape(shape) === length) return shape;
  }
  throw problem(
    change,
    `value has ${length} numbers, the place has [${x.shape.join(', ')}]`,
    isDirection
      ? 'Give as many as its last axis has.'
      : 'Give as many as its last axis, its last axes, or all have.',
  );
}

interface Chosen {
  readonly heads: readonly number[] | null;
  readonly axis: number | null;
  readonly positions: readonly number[] | undefined;
  /** Position of the first token, where the value may be a part of its text. */
  readonly start: number | undefined;
}

/** The changed value at some heads and tokens, the old one elsewhere. */
function chosen(before: tf.Tensor, after: tf.Tensor, { heads, axis, ...tokens }: Chosen) {
  const { positions, start } = tokens;
  const isAt = (dimension: number, chosenOnes: readonly number[]) => {
    const shape = before.shape.map((size, at) => (at === dimension ? size : 1));
    const ones = Uint8Array.from({ length: before.shape[dimension]! }, (_, at) =>
      chosenOnes.includes(at) ? 1 : 0,
    );
    return tf.tensor(ones, shape, 'bool');
  };
  const tokenAxis = tokenAxisOf(axis);
  const count = before.shape[tokenAxis]!;
  const outside = positions?.find((position) => position >= count);
  if (outside !== undefined && start === undefined) {
    throw new ConfigError(`transformer/intervention: position ${outside} of ${count} tokens.`, {
      help: `Give positions from 0 to ${count - 1}, padding counted.`,
    });
  }
  const own = positions?.map((at) => at - (start ?? 0));
  const masks = [
    ...(heads === null ? [] : [isAt(axis!, heads)]),
    ...(own === undefined ? [] : [isAt(tokenAxis, own)]),
  ];
  if (masks.length === 0) return after;
  const mask = masks.length === 1 ? masks[0]! : tf.logicalAnd(masks[0]!, masks[1]!);
  return tf.where(tf.logicalAnd(mask, tf.cast(tf.onesLike(before), 'bool')), after, before);
}
