/**
 * Changes of a forward pass as data: what can be written in a file and sent to another machine.
 */
import { ConfigError, nearest } from '@lab/core';
import { tf } from '@lab/tensor';
import type { Architecture } from './architecture.js';
import { missingPlace, ownName } from './hook-names.js';
import type { Hook } from './hooks.js';

/** Short names of places in a block's attention. */
const SITES = {
  q: 'attn.hook_q',
  k: 'attn.hook_k',
  v: 'attn.hook_v',
  scores: 'attn.hook_attn_scores_raw',
  pattern: 'attn.hook_pattern',
  z: 'attn.hook_z',
} as const;

const KINDS = ['scale', 'zero', 'mean', 'uniform', 'patch', 'add', 'project-out'] as const;

/** What is done with a value. */
export type InterventionKind = (typeof KINDS)[number];

/** One change. */
export interface Intervention {
  /**
   * `scale` times `value`; `zero`; `mean` over the tokens; `uniform` over the tokens a query may
   * see (scores and pattern); `patch` by `value`; `add` of `value`; `project-out` of the direction
   * `value`.
   */
  readonly kind: InterventionKind;
  /** `q`, `k`, `v`, `scores`, `pattern`, `z`, or any name of a place. */
  readonly site: string;
  /** Block; not with the full name of a hook. */
  readonly layer?: number | undefined;
  /** Head; default all. */
  readonly head?: number | undefined;
  /**
   * What `head` counts: heads of queries (default), or those of keys and values, with all queries
   * that share one.
   */
  readonly granularity?: 'kv-group' | 'query-head' | undefined;
  /** Tokens that are changed; default all. In a generation padding does not count. */
  readonly positions?: readonly number[] | undefined;
  /**
   * Steps of a generation in which the change is made, 0 for the one that gives the first new
   * token; default all. A pass by itself is step 0.
   */
  readonly steps?: readonly number[] | undefined;
  readonly value?: number | readonly number[] | undefined;
}

/** JSON schema of a list of interventions. */
export const interventionsSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'array',
  items: {
    type: 'object',
    required: ['kind', 'site'],
    additionalProperties: false,
    properties: {
      kind: { enum: [...KINDS] },
      site: { type: 'string' },
      layer: { type: 'integer', minimum: 0 },
      head: { type: 'integer', minimum: 0 },
      granularity: { enum: ['query-head', 'kv-group'] },
      positions: { type: 'array', items: { type: 'integer', minimum: 0 } },
      steps: { type: 'array', items: { type: 'integer', minimum: 0 } },
      value: { anyOf: [{ type: 'number' }, { type: 'array', items: { type: 'number' } }] },
    },
  },
} as const;

/**
 * The hook that makes a change.
 *
 * @throws {ConfigError} for a site, head or value that this model does not have.
 */
export function interventionHook(change: Intervention, architecture: Architecture): Hook {
  const name = placeOf(change, architecture);
  const axis = headAxis(name);
  const heads = headsOf(change, architecture, { name, axis });
  assertValue(change);
  return {
    names: name,
    run: (value, { start, step = 0 }) => {
      if (change.steps?.includes(step) === false) return value;
      const changed = changedValue(value, change, axis);
      return chosen(value, changed, { heads, axis, positions: change.positions, start });
    },
  };
}

const problem = (change: Intervention, what: string, help: string) =>
  new ConfigError(`transformer/intervention ${change.kind} of ${change.site}: ${what}.`, { help });

/** Name of the hook that a change is made at. */
function placeOf(change: Intervention, architecture: Architecture): string {
  const { site, layer, granularity = 'query-head' } = change;
  const short = Object.hasOwn(SITES, site) ? SITES[site as keyof typeof SITES] : null;
  const isShared = architecture.keyValueHeadCount !== architecture.headCount;
  const isSplit = isShared && granularity === 'query-head' && change.head !== undefined;
  const asked = short === null ? site : `blocks.${layer ?? '?'}.${short}`;
  const own = ownName(asked, architecture);
  if (own !== undefined) return isSplit && /\.attn\.hook_[kv]$/.test(own) ? `${own}_heads` : own;
  if (short !== null) {
    const last = architecture.layerCount - 1;
    throw problem(change, `layer is ${layer ?? 'not given'}`, `Give a layer from 0 to ${last}.`);
  }
  const like = nearest(site, Object.keys(SITES));
  throw problem(
    change,
    like === undefined ? missingPlace(site, architecture) : `there is no such place; near: ${like}`,
    'hookNames(model) lists all places.',
  );
}

/** Axis of the heads at a place, or null where there are none. */
function headAxis(name: string): number | null {
  if (/\.attn\.hook_(attn_scores_raw|attn_scores|pattern)$/.test(name)) return 1;
  return /\.attn\.hook_(q|k|v|k_heads|v_heads|rot_q|rot_k|z|result)$/.test(name) ? 2 : null;
}

/** Heads that are changed at a place; null for all. */
function headsOf(
  change: Intervention,
  architecture: Architecture,
  { name, axis }: { readonly name: string; readonly axis: number | null },
): readonly number[] | null {
  const { head, granularity = 'query-head' } = change;
  if (head === undefined) return null;
  const { headCount, keyValueHeadCount } = architecture;
  const isGroup = granularity === 'kv-group';
  const count = isGroup ? keyValueHeadCount : headCount;
  if (axis === null) throw problem(change, 'this place has no heads', 'Leave out head.');
  if (head >= count) {
    throw problem(
      change,
      `there is no head ${head} of ${count}`,
      `Give one from 0 to ${count - 1}.`,
    );
  }
  const isShared = /hook_(k|v|rot_k)$/.test(name);
  if (!isGroup || isShared) return [head];
  const size = headCount / keyValueHeadCount;
  return Array.from({ length: size }, (_, at) => head * size + at);
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
  if (wanted.split(' or ').includes(got)) return;
  const what = value === undefined ? 'not given' : JSON.stringify(value).slice(0, 40);
  throw problem(change, `value is ${what}`, `It must be: ${wanted}.`);
}

/** The value as it would be if all of it were changed. */
function changedValue(x: tf.Tensor, change: Intervention, axis: number | null): tf.Tensor {
  const { kind, value } = change;
  const given = (): tf.Tensor =>
    typeof value === 'number'
      ? tf.scalar(value)
      : tf.tensor(value as number[], fitShape(x, change));
  switch (kind) {
    case 'scale':
      return tf.mul(x, value as number);
    case 'zero':
      return tf.zerosLike(x);
    case 'mean':
      return tf.add(tf.zerosLike(x), tf.mean(x, axis === 1 ? 2 : 1, true));
    case 'uniform':
      return uniform(x, change, axis);
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

/** Shape that a list of numbers stands for: all of the value, or its last axes. */
function fitShape(x: tf.Tensor, change: Intervention): number[] {
  const length = (change.value as readonly number[]).length;
  for (let from = x.rank - 1; from >= 0; from -= 1) {
    const shape = x.shape.slice(from);
    if (tf.util.sizeFromShape(shape) === length) return shape;
  }
  throw problem(
    change,
    `value has ${length} numbers, the place has [${x.shape.join(', ')}]`,
    'Give as many as its last axis, its last axes, or all have.',
  );
}

/** Scores all the same, or a pattern that shares evenly among the tokens before a query. */
function uniform(x: tf.Tensor, change: Intervention, axis: number | null): tf.Tensor {
  if (axis !== 1)
    throw problem(change, 'only scores and pattern can be', 'Take the site scores or pattern.');
  if (!change.site.endsWith('pattern')) return tf.zerosLike(x);
  const [, , queries, keys] = x.shape as [number, number, number, number];
  const shares = Float32Array.from({ length: queries * keys }, (_, at) => {
    // The last query is the last key, also where keys of earlier tokens are there.
    const [query, key] = [Math.floor(at / keys) + keys - queries, at % keys];
    return key <= query ? 1 / (query + 1) : 0;
  });
  return tf.add(tf.zerosLike(x), tf.tensor(shares, [1, 1, queries, keys]));
}

/** The changed value at some heads and tokens, the old one elsewhere. */
function chosen(
  before: tf.Tensor,
  after: tf.Tensor,
  {
    heads,
    axis,
    positions,
    start,
  }: {
    readonly heads: readonly number[] | null;
    readonly axis: number | null;
    readonly positions: readonly number[] | undefined;
    /** Position of the first token, where the value may be a part of its text. */
    readonly start: number | undefined;
  },
): tf.Tensor {
  const isAt = (dimension: number, chosenOnes: readonly number[]) => {
    const shape = before.shape.map((size, at) => (at === dimension ? size : 1));
    const ones = Uint8Array.from({ length: before.shape[dimension]! }, (_, at) =>
      chosenOnes.includes(at) ? 1 : 0,
    );
    return tf.tensor(ones, shape, 'bool');
  };
  const tokenAxis = axis === 1 ? 2 : 1;
  const outside = positions?.find((position) => position >= before.shape[tokenAxis]!);
  if (outside !== undefined && start === undefined) {
    throw new ConfigError(
      `transformer/intervention: position ${outside} of ${before.shape[tokenAxis]} tokens.`,
      { help: `Give positions from 0 to ${before.shape[tokenAxis]! - 1}, padding counted.` },
    );
  }
  const masks = [
    ...(heads === null ? [] : [isAt(axis!, heads)]),
    ...(positions === undefined
      ? []
      : [
          isAt(
            tokenAxis,
            positions.map((at) => at - (start ?? 0)),
          ),
        ]),
  ];
  if (masks.length === 0) return after;
  const mask = masks.length === 1 ? masks[0]! : tf.logicalAnd(masks[0]!, masks[1]!);
  return tf.where(tf.logicalAnd(mask, tf.cast(tf.onesLike(before), 'bool')), after, before);
}
