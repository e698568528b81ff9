/**
 * All places where hooks may be, with the shapes of what they see.
 */
import type { Architecture } from './architecture.js';

/** A place and the shape there: B texts, T tokens, and sizes of the model. */
export interface HookPlace {
  readonly name: string;
  readonly shape: readonly (number | 'B' | 'T')[];
}

/**
 * Places in the order of a forward pass, with the names of TransformerLens.
 *
 * `hook_k_heads` and `hook_v_heads` are keys and values repeated for every head of queries, where
 * several share one, and `hook_rot_k` has as many heads where something is called there;
 * `hook_attn_scores_raw` are scores before cap and mask.
 */
export function hookNames({ architecture }: { readonly architecture: Architecture }): HookPlace[] {
  const { width, layerCount, vocabularySize, positions } = architecture;
  const residual = ['B', 'T', width] as const;
  const places: HookPlace[] = [{ name: 'hook_embed', shape: residual }];
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

function blockPlaces(architecture: Architecture): HookPlace[] {
  const { width, headCount, keyValueHeadCount, headWidth, mlpWidth, isGated } = architecture;
  const { isParallel, sharesNorm, hasPostNorms, positions } = architecture;
  const residual = (name: string): HookPlace => ({ name, shape: ['B', 'T', width] });
  const norm = (name: string): HookPlace[] => [
    { name: `${name}.hook_scale`, shape: ['B', 'T', 1] },
    residual(`${name}.hook_normalized`),
  ];
  const heads = (what: string, count: number, size = headWidth): HookPlace => ({
    name: `attn.hook_${what}`,
    shape: ['B', 'T', count, size],
  });
  const scores = (what: string): HookPlace => ({
    name: `attn.hook_${what}`,
    shape: ['B', headCount, 'T', 'T'],
  });
  const inner = (what: string): HookPlace => ({
    name: `mlp.hook_${what}`,
    shape: ['B', 'T', mlpWidth],
  });
  return [
    residual('hook_resid_pre'),
    ...norm('ln1'),
    heads('q', headCount),
    heads('k', keyValueHeadCount),
    heads('v', keyValueHeadCount),
    heads('k_heads', headCount),
    heads('v_heads', headCount),
    ...(positions.kind === 'rotary'
      ? [heads('rot_q', headCount), heads('rot_k', keyValueHeadCount)]
      : []),
    scores('attn_scores_raw'),
    scores('attn_scores'),
    scores('pattern'),
    heads('z', headCount),
    heads('result', headCount, width),
    ...(hasPostNorms ? norm('ln1_post') : []),
    residual('hook_attn_out'),
    ...(isParallel ? [] : [residual('hook_resid_mid')]),
    ...(sharesNorm ? [] : norm('ln2')),
    inner('pre'),
    ...(isGated ? [inner('pre_linear')] : []),
    inner('post'),
    ...(hasPostNorms ? norm('ln2_post') : []),
    residual('hook_mlp_out'),
    residual('hook_resid_post'),
  ];
}
