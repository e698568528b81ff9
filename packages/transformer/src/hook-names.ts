/**
 * All places where hooks may be, with their names and the shapes of what they see.
 */
import { ConfigError, nearest } from '@lab/core';
import type { Architecture } from './architecture.js';
import { hookAliases } from './hook-aliases.js';
import { type Hook, type HookNames, isOptional } from './hooks.js';

/** A place and the shape there: B texts, T tokens, and sizes of the model. */
export interface HookPlace {
  readonly name: string;
  readonly shape: readonly (number | 'B' | 'T')[];
  /**
   * Other names of the place: of the module of `transformers` whose output it is, of nnterp, and
   * of bridges of TransformerLens 3. A module's output is seen in the shape of the place.
   */
  readonly aliases: readonly string[];
}

type NamedShape = Omit<HookPlace, 'aliases'>;

/**
 * Places in the order of a forward pass, with the names of TransformerLens.
 *
 * `hook_k_heads`, `hook_v_heads` and `hook_rot_k_heads` are keys and values repeated for every head
 * of queries, where several share one, and `hook_rot_k` has as many where something is called at
 * `hook_k_heads`; `hook_attn_scores_raw` are scores before cap and mask. `attn.hook_out` and
 * `mlp.hook_out` are there where a norm follows: what is added to the residual is `hook_attn_out`
 * and `hook_mlp_out`.
 * `hook_normalized` is what a norm gives, gain and bias in it (`hook_out` of a bridge).
 *
 * Optional places are made for those alone who name them: `hook_tokens` (ids, int32),
 * `hook_q_input`, `hook_k_input` and `hook_v_input`, the residual before `ln1` once for each head,
 * `hook_attn_in`, from which all three are taken (where every head has its own keys), and
 * `hook_mlp_in`, the residual that the MLP reads, before its norm.
 *
 * @param options - `optional`: whether those are listed, too; default false.
 */
export function hookNames(
  { architecture }: { readonly architecture: Architecture },
  { optional = false }: { readonly optional?: boolean | undefined } = {},
): HookPlace[] {
  const aliases = hookAliases(architecture);
  return namedShapes(architecture)
    .filter(({ name }) => optional || !isOptional(name))
    .map((place) => ({ ...place, aliases: aliases.get(place.name) ?? [] }));
}

function namedShapes(architecture: Architecture): NamedShape[] {
  const { width, layerCount, vocabularySize, positions } = architecture;
  const residual = ['B', 'T', width] as const;
  const places: NamedShape[] = [
    { name: 'hook_tokens', shape: ['B', 'T'] },
    { name: 'hook_embed', shape: residual },
  ];
  if (positions.kind === 'learned') places.push({ name: 'hook_pos_embed', shape: residual });
  for (let block = 0; block < layerCount; block += 1) {
    for (const { name, shape } of blockPlaces(architecture)) {
      places.push({ name: `blocks.${block}.${name}`, shape });
    }
  }
  places.push({ name: 'ln_final.hook_scale', shape: ['B', 'T', 1] });
  places.push({ name: 'ln_final.hook_normalized', shape: residual });
  places.push({ name: 'hook_logits', shape: ['B', 'T', vocabularySize] });
  return places;
}

function blockPlaces(architecture: Architecture): NamedShape[] {
  const { width, headCount, keyValueHeadCount, headWidth, mlpWidth, isGated } = architecture;
  const { isParallel, sharesNorm, hasPostNorms, positions } = architecture;
  const residual = (name: string): NamedShape => ({ name, shape: ['B', 'T', width] });
  const norm = (name: string): NamedShape[] => [
    { name: `${name}.hook_scale`, shape: ['B', 'T', 1] },
    residual(`${name}.hook_normalized`),
  ];
  const heads = (what: string, count: number, size = headWidth): NamedShape => ({
    name: `attn.hook_${what}`,
    shape: ['B', 'T', count, size],
  });
  const scores = (what: string): NamedShape => ({
    name: `attn.hook_${what}`,
    shape: ['B', headCount, 'T', 'T'],
  });
  const inner = (what: string): NamedShape => ({
    name: `mlp.hook_${what}`,
    shape: ['B', 'T', mlpWidth],
  });
  return [
    residual('hook_resid_pre'),
    ...headInputs(architecture),
    ...norm('ln1'),
    heads('q', headCount),
    heads('k', keyValueHeadCount),
    heads('v', keyValueHeadCount),
    heads('k_heads', headCount),
    heads('v_heads', headCount),
    ...(positions.kind === 'rotary'
      ? [
          heads('rot_q', headCount),
          heads('rot_k', keyValueHeadCount),
          heads('rot_k_heads', headCount),
        ]
      : []),
    scores('attn_scores_raw'),
    scores('attn_scores'),
    scores('pattern'),
    heads('z', headCount),
    heads('result', headCount, width),
    ...(hasPostNorms ? [residual('attn.hook_out'), ...norm('ln1_post')] : []),
    residual('hook_attn_out'),
    ...(isParallel ? [] : [residual('hook_resid_mid')]),
    residual('hook_mlp_in'),
    ...(sharesNorm ? [] : norm('ln2')),
    inner('pre'),
    ...(isGated ? [inner('pre_linear')] : []),
    inner('post'),
    ...(hasPostNorms ? [residual('mlp.hook_out'), ...norm('ln2_post')] : []),
    residual('hook_mlp_out'),
    residual('hook_resid_post'),
  ];
}

function headInputs(architecture: Architecture): NamedShape[] {
  const { width, headCount, keyValueHeadCount } = architecture;
  const input = (what: string, count: number): NamedShape => ({
    name: `hook_${what}`,
    shape: ['B', 'T', count, width],
  });
  return [
    ...(hasSharedKeys(architecture) ? [] : [input('attn_in', headCount)]),
    input('q_input', headCount),
    input('k_input', keyValueHeadCount),
    input('v_input', keyValueHeadCount),
  ];
}

/** Whether several heads of queries share one of keys and values. */
const hasSharedKeys = ({ headCount, keyValueHeadCount }: Architecture): boolean =>
  headCount !== keyValueHeadCount;

const namesOf = new WeakMap<Architecture, ReadonlyMap<string, string>>();

/** Own name of each place, by every name that it has. */
function placeNames(architecture: Architecture): ReadonlyMap<string, string> {
  const known = namesOf.get(architecture);
  if (known !== undefined) return known;
  const places = hookNames({ architecture }, { optional: true });
  const names = new Map(
    places.flatMap(({ name, aliases }) => aliases.map((alias) => [alias, name] as const)),
  );
  for (const { name } of places) names.set(name, name);
  namesOf.set(architecture, names);
  return names;
}

/** Own names of the places in a block. */
export const placesInBlock = (block: number, architecture: Architecture): string[] =>
  [...new Set(placeNames(architecture).values())].filter((name) =>
    name.startsWith(`blocks.${block}.`),
  );

/** Own name of the place that any of its names stands for; undefined for none. */
export function ownName(name: string, architecture: Architecture): string | undefined {
  return placeNames(architecture).get(name);
}

/**
 * As `ownName`, of a name that must be one.
 *
 * @param asker - begins the message of the error.
 * @throws {ConfigError} for a name that no place has, with the nearest.
 */
export function placeName(name: string, architecture: Architecture, asker: string): string {
  const own = ownName(name, architecture);
  if (own !== undefined) return own;
  throw new ConfigError(`${asker}: ${missingPlace(name, architecture)}.`, {
    help: 'hookNames(model), or transformer inspect MODEL --hooks, lists all places.',
  });
}

/** Says that there is no such place, and which one may be meant. */
export function missingPlace(name: string, architecture: Architecture): string {
  const names = placeNames(architecture);
  const { layerCount } = architecture;
  const block = /(?<=\.)\d+(?=\.|$)/.exec(name)?.[0];
  if (block !== undefined && names.has(name.replace(/(?<=\.)\d+(?=\.|$)/, '0'))) {
    return `there is no block ${block} for ${name}, the last is ${layerCount - 1}`;
  }
  if (hasSharedKeys(architecture) && name.endsWith('hook_attn_in')) {
    const others = 'hook_q_input, hook_k_input and hook_v_input';
    return `heads share keys here: ${name} is not there, but ${others}`;
  }
  const like = nearest(name, names.keys());
  return `there is no place ${name}${like === undefined ? '' : `; near: ${like}`}`;
}

/** Names with a text as the place's own; patterns and functions are asked for own names alone. */
export function ownNames(names: HookNames, architecture: Architecture, asker: string): HookNames {
  return typeof names === 'string' ? placeName(names, architecture, asker) : names;
}

/** A hook with the own name of its place. */
export const placedHook = (hook: Hook, architecture: Architecture): Hook => ({
  ...hook,
  names: ownNames(hook.names, architecture, 'transformer/hook'),
});
