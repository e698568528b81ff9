/**
 * Where in a model the states of a site are seen.
 */
import { ConfigError } from '@lab/core';
import type { Model } from '@lab/transformer';
import type { StateSite } from './state-store.js';

type Architecture = Model['architecture'];

/** Places in order of the states: a name of a hook, and the block that must run for it. */
export interface StatePlace {
  readonly name: string;
  readonly block: number;
}

/** What is to be seen. */
export interface SiteOptions {
  readonly site: StateSite;
  /** The last state of the residual behind the final norm. */
  readonly isNormed?: boolean | undefined;
}

/**
 * Places of a site's states.
 *
 * Residual: `u_0 .. u_L`, u_l the stream behind l blocks, u_L before the final norm unless
 * `isNormed`; mid: the same within block l - 1, between its attention and its MLP; attention, mlp,
 * heads: what block l adds, or what its heads give before they are mixed, l = 0 .. L - 1.
 *
 * Source: LLM-IHS-Explanation, forward of the model with `output_hidden_states`.
 * Deviation: the released code takes the last state behind the final norm, and probes that; here it
 * is taken before, so that the lens norms it once; `states.isNormed` takes the other.
 *
 * @throws {ConfigError} for mid where attention and MLP of a block read the same residual.
 */
export function statePlaces(
  { layerCount, isParallel = false }: PlacedArchitecture,
  { site, isNormed = false }: SiteOptions,
): StatePlace[] {
  const blocks = Array.from({ length: layerCount }, (_, block) => block);
  const within = (what: string) =>
    blocks.map((block) => ({ name: `blocks.${block}.${what}`, block }));
  if (site === 'attention') return within('hook_attn_out');
  if (site === 'mlp') return within('hook_mlp_out');
  if (site === 'heads') return within('attn.hook_z');
  if (site === 'mid') {
    if (isParallel) throw withoutMiddle();
    return [{ name: 'blocks.0.hook_resid_pre', block: 0 }, ...within('hook_resid_mid')];
  }
  const last = layerCount - 1;
  const end = isNormed ? 'ln_final.hook_normalized' : `blocks.${last}.hook_resid_post`;
  return [...within('hook_resid_pre'), { name: end, block: last }];
}

/** What of a model says where its states are. */
type PlacedArchitecture = Partial<Pick<Architecture, 'isParallel'>> &
  Pick<Architecture, 'layerCount'>;

const withoutMiddle = () =>
  new ConfigError('weak-probe/states: blocks of this model have no state within.', {
    help: 'Attention and MLP read the same residual there; take the site residual.',
  });

/** D: numbers in a row of a site's states. */
export function stateWidth(
  { width, headCount, headWidth }: Pick<Architecture, 'headCount' | 'headWidth' | 'width'>,
  site: StateSite,
): number {
  return site === 'heads' ? headCount * headWidth : width;
}
