/**
 * Changes of a pass of a T5 as data.
 */
import { nearest } from '@lab/core';
import { changeHook, problem } from '../changed-values.js';
import type { Hook } from '../hooks.js';
import {
  assertFields,
  assertSameBlock,
  ATTENTIONS,
  headsOf,
  type Intervention,
  SITES,
} from '../interventions.js';
import type { T5Architecture } from './t5-config.js';
import { t5PlaceNames } from './t5-hook-names.js';

/** What stands before the names of an attention's places, `{i}` for the block. */
const ATTENTION_NAMES: Readonly<Record<(typeof ATTENTIONS)[number], string>> = {
  encoder: 'encoder.{i}.attn',
  decoder: 'decoder.{i}.attn',
  cross: 'decoder.{i}.cross_attn',
};

/**
 * The hook that makes a change in a T5.
 *
 * @throws {ConfigError} for a site, head or value that this model does not have.
 */
export function t5InterventionHook(change: Intervention, architecture: T5Architecture): Hook {
  assertFields(change);
  const name = placeOf(change, architecture);
  const counts = { ...architecture, keyValueHeadCount: architecture.headCount };
  return changeHook(change, { name, heads: headsOf(change, counts, name) });
}

/** Name of the hook that a change is made at. */
function placeOf(change: Intervention, architecture: T5Architecture): string {
  const { site, layer, attention } = change;
  const names = t5PlaceNames(architecture);
  if (!Object.hasOwn(SITES, site)) {
    if (names.has(site)) {
      assertSameBlock(change, site);
      return site;
    }
    const like = nearest(site, [...names, ...Object.keys(SITES)]);
    const near = like === undefined ? '' : `; near: ${like}`;
    throw problem(change, `there is no such place${near}`, 't5HookNames(model) lists all places.');
  }
  if (attention === undefined) {
    throw problem(
      change,
      'a T5 has three attentions',
      `Give attention: one of ${ATTENTIONS.join(', ')}.`,
    );
  }
  const prefix = ATTENTION_NAMES[attention].replace('{i}', String(layer ?? '?'));
  const name = `${prefix}.${SITES[site as keyof typeof SITES]}`;
  if (names.has(name)) return name;
  const { encoderLayerCount, decoderLayerCount } = architecture;
  const last = (attention === 'encoder' ? encoderLayerCount : decoderLayerCount) - 1;
  throw problem(change, `layer is ${layer ?? 'not given'}`, `Give a layer from 0 to ${last}.`);
}
