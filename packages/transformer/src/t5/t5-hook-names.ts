/**
 * All places of a T5 where hooks may be.
 */
import { ConfigError, nearest } from '@lab/core';
import type { HookNames } from '../hooks.js';
import type { T5Architecture } from './t5-config.js';
import type { T5Side } from './t5-weights.js';

/** A place and the shape there: B texts, S tokens of the encoder, T of the decoder. */
export interface T5HookPlace {
  readonly name: string;
  readonly shape: readonly (number | 'B' | 'S' | 'T')[];
}

type Size = T5HookPlace['shape'][number];

/**
 * Places in the order of a pass.
 *
 * `hook_attn_scores_raw` are scores with the biases of distances, before the mask.
 */
export function t5HookNames({
  architecture,
}: {
  readonly architecture: T5Architecture;
}): T5HookPlace[] {
  const { vocabularySize } = architecture;
  return [
    ...sidePlaces(architecture, 'encoder'),
    ...sidePlaces(architecture, 'decoder'),
    { name: 'hook_logits', shape: ['B', 'T', vocabularySize] },
  ];
}

function sidePlaces(architecture: T5Architecture, side: T5Side): T5HookPlace[] {
  const { width, encoderLayerCount, decoderLayerCount } = architecture;
  const length: Size = side === 'encoder' ? 'S' : 'T';
  const residual = (name: string): T5HookPlace => ({ name, shape: ['B', length, width] });
  const norm = (name: string): T5HookPlace[] => [
    { name: `${name}.hook_scale`, shape: ['B', length, 1] },
    residual(`${name}.hook_normalized`),
  ];
  const count = side === 'encoder' ? encoderLayerCount : decoderLayerCount;
  const blocks = Array.from({ length: count }, (_, block) =>
    blockPlaces(architecture, { side, prefix: `${side}.${block}`, length, norm, residual }),
  );
  return [residual(`${side}.hook_embed`), ...blocks.flat(), ...norm(`${side}.final_ln`)];
}

interface BlockOf {
  readonly side: T5Side;
  readonly prefix: string;
  readonly length: Size;
  readonly norm: (name: string) => T5HookPlace[];
  readonly residual: (name: string) => T5HookPlace;
}

function blockPlaces(
  { headCount, headWidth, width, mlpWidth, isGated }: T5Architecture,
  { side, prefix, length, norm, residual }: BlockOf,
): T5HookPlace[] {
  const attention = (name: string, keys: Size): T5HookPlace[] => {
    const heads = (what: string, rows: Size, size = headWidth): T5HookPlace => ({
      name: `${prefix}.${name}.hook_${what}`,
      shape: ['B', rows, headCount, size],
    });
    const scores = (what: string): T5HookPlace => ({
      name: `${prefix}.${name}.hook_${what}`,
      shape: ['B', headCount, length, keys],
    });
    return [
      ...[heads('q', length), heads('k', keys), heads('v', keys)],
      ...[scores('attn_scores_raw'), scores('attn_scores'), scores('pattern')],
      ...[heads('z', length), heads('result', length, width)],
    ];
  };
  const inner = (what: string): T5HookPlace => ({
    name: `${prefix}.mlp.hook_${what}`,
    shape: ['B', length, mlpWidth],
  });
  const isDecoder = side === 'decoder';
  return [
    residual(`${prefix}.hook_resid_pre`),
    ...norm(`${prefix}.ln1`),
    ...attention('attn', length),
    residual(`${prefix}.hook_attn_out`),
    residual(`${prefix}.hook_resid_mid`),
    ...(isDecoder
      ? [
          ...norm(`${prefix}.ln2`),
          ...attention('cross_attn', 'S'),
          residual(`${prefix}.hook_cross_attn_out`),
          residual(`${prefix}.hook_resid_mid_cross`),
        ]
      : []),
    ...norm(`${prefix}.${isDecoder ? 'ln3' : 'ln2'}`),
    inner('pre'),
    ...(isGated ? [inner('pre_linear')] : []),
    inner('post'),
    residual(`${prefix}.hook_mlp_out`),
    residual(`${prefix}.hook_resid_post`),
  ];
}

const namesOf = new WeakMap<T5Architecture, ReadonlySet<string>>();

/** Names of all places. */
export function t5PlaceNames(architecture: T5Architecture): ReadonlySet<string> {
  const known = namesOf.get(architecture);
  if (known !== undefined) return known;
  const names = new Set(t5HookNames({ architecture }).map(({ name }) => name));
  namesOf.set(architecture, names);
  return names;
}

/**
 * Checks that a name given as text is one of a place.
 *
 * @throws {ConfigError} for another name, with the nearest.
 */
export function assertT5Names(names: HookNames, architecture: T5Architecture): void {
  if (typeof names !== 'string') return;
  const known = t5PlaceNames(architecture);
  if (known.has(names)) return;
  const like = nearest(names, known);
  throw new ConfigError(
    `transformer/hook: there is no place ${names}${like === undefined ? '' : `; near: ${like}`}.`,
    { help: 't5HookNames(model) lists all places.' },
  );
}
