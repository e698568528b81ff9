/**
 * Changes of a forward pass as data: what can be written in a file and sent to another machine.
 */
import { nearest } from '@lab/core';
import type { Architecture } from './architecture.js';
import { changeHook, headAxis, problem } from './changed-values.js';
import { missingPlace, ownName } from './hook-names.js';
import type { Hook } from './hooks.js';
import { schemaProblems } from './json-schema.js';

/** Short names of places in an attention, behind the name of which they stand. */
export const SITES = {
  q: 'hook_q',
  k: 'hook_k',
  v: 'hook_v',
  scores: 'hook_attn_scores_raw',
  pattern: 'hook_pattern',
  z: 'hook_z',
} as const;

/** Attentions of a T5. */
export const ATTENTIONS = ['encoder', 'decoder', 'cross'] as const;

const KINDS = ['scale', 'zero', 'mean', 'uniform', 'patch', 'add', 'project-out'] as const;

/** What is done with a value. */
export type InterventionKind = (typeof KINDS)[number];

/** One change. */
export interface Intervention {
  /**
   * `scale` times `value`; `zero`; `mean` over the tokens that are no padding; `uniform` over the
   * tokens a query may see (scores and pattern; it is made before the mask); `patch` by `value`;
   * `add` of `value`; `project-out` of the direction `value`, one of the last axis.
   */
  readonly kind: InterventionKind;
  /**
   * `q`, `k`, `v`, `scores`, `pattern`, `z`, or any name of a place: with `layer` also what stands
   * behind its block, such as `mlp.hook_post`.
   */
  readonly site: string;
  /**
   * Of a T5, which attention a short site is of: the encoder's, the decoder's among its own tokens,
   * or `cross`, the decoder's over the encoder's tokens.
   */
  readonly attention?: (typeof ATTENTIONS)[number] | undefined;
  /** Block; the full name of a place has its own. */
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
  /** A list may be typed, such as the `data` of a captured value; JSON has plain lists. */
  readonly value?: number | ChangeNumbers | undefined;
}

/** Numbers of a change, row by row. */
export type ChangeNumbers = readonly number[] | Float32Array | Float64Array;

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
      attention: { enum: [...ATTENTIONS] },
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
  assertFields(change);
  const name = placeOf(change, architecture);
  if (name === 'hook_tokens') assertIds(change, architecture);
  return changeHook(change, { name, heads: headsOf(change, architecture, name) });
}

/**
 * Refuses what is no change, whatever the model: not all of them are read from files.
 *
 * @throws {ConfigError} for a field that is not known, or of another type.
 */
export function assertFields(change: Intervention): void {
  const given = Object.entries(change)
    .filter(([, value]) => value !== undefined)
    // What a typed list holds are numbers; JSON, of which the schema is, has none.
    .map(([name, value]) => [name, name === 'value' && isTyped(value) ? [] : value]);
  const [first] = schemaProblems(Object.fromEntries(given), interventionsSchema.items);
  if (first === undefined) return;
  const what = first.path === '' ? first.what : `${first.path} ${first.what}`;
  throw problem(change, what, 'interventionsSchema is the schema of a list of changes.');
}

const isTyped = (value: unknown): boolean =>
  value instanceof Float32Array || value instanceof Float64Array;

/** Ids are no quantities: others can be put in their place, and no more. */
function assertIds(change: Intervention, { vocabularySize }: Architecture): void {
  const { kind, value = [] } = change;
  if (kind !== 'patch') throw problem(change, 'ids can only be patched', 'Take the kind patch.');
  const ids = Array.from(typeof value === 'number' ? [value] : value);
  const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize);
  if (wrong === undefined) return;
  throw problem(change, `value holds ${wrong}`, `Give ids from 0 to ${vocabularySize - 1}.`);
}

/**
 * Refuses a block beside the name of a place that is in another one, or in none.
 *
 * @throws {ConfigError} that names the place.
 */
export function assertSameBlock(change: Intervention, name: string): void {
  const { layer } = change;
  if (layer === undefined || name.split('.')[1] === String(layer)) return;
  throw problem(change, `the place ${name} is not in layer ${layer}`, 'Leave layer out.');
}

/** Name of the hook that a change is made at. */
function placeOf(change: Intervention, architecture: Architecture): string {
  const { site, layer, attention, granularity = 'query-head' } = change;
  if (attention !== undefined) {
    throw problem(change, `attention ${attention} is one of a T5`, 'Leave attention out.');
  }
  const short = Object.hasOwn(SITES, site) ? SITES[site as keyof typeof SITES] : null;
  const isShared = architecture.keyValueHeadCount !== architecture.headCount;
  const isSplit = isShared && granularity === 'query-head' && change.head !== undefined;
  const inBlock = `blocks.${layer ?? '?'}.${short === null ? site : `attn.${short}`}`;
  const own =
    ownName(inBlock, architecture) ?? (short === null ? ownName(site, architecture) : undefined);
  if (own !== undefined) {
    assertSameBlock(change, own);
    // Rotated keys have as many heads as those before them are made to have.
    const isTurned = isShared && change.head !== undefined && own.endsWith('.attn.hook_rot_k');
    const hasHeads = isTurned || (isSplit && /\.attn\.hook_[kv]$/.test(own));
    return hasHeads ? `${own}_heads` : own;
  }
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

/**
 * Heads that are changed at a place; null for all.
 *
 * @throws {ConfigError} for a head that is not there, or a place without heads.
 */
export function headsOf(
  change: Intervention,
  architecture: Pick<Architecture, 'headCount' | 'keyValueHeadCount'>,
  name: string,
): readonly number[] | null {
  const { head, granularity = 'query-head' } = change;
  if (head === undefined) return null;
  const { headCount, keyValueHeadCount } = architecture;
  const isGroup = granularity === 'kv-group';
  const isShared = /hook_[kv](_input)?$/.test(name);
  if (!isGroup && headCount !== keyValueHeadCount && /hook_[kv]_input$/.test(name)) {
    throw problem(
      change,
      `this place has ${keyValueHeadCount} heads, of keys and values`,
      "Count them: granularity 'kv-group'.",
    );
  }
  const count = isGroup ? keyValueHeadCount : headCount;
  if (headAxis(name) === null) throw problem(change, 'this place has no heads', 'Leave out head.');
  if (head >= count) {
    throw problem(
      change,
      `there is no head ${head} of ${count}`,
      `Give one from 0 to ${count - 1}.`,
    );
  }
  if (!isGroup || isShared) return [head];
  const size = headCount / keyValueHeadCount;
  return Array.from({ length: size }, (_, at) => head * size + at);
}
