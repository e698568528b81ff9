/**
 * Other names of places inside a model: those of modules in `transformers`, those that nnterp gives
 * to all families, and those of the bridges of TransformerLens 3.
 *
 * Source: TransformerLensOrg/TransformerLens/docs/source/content/model_structure.md;
 * ndif-team/nnterp/nnterp/rename_utils.py.
 */
import type { Architecture, BlockModule } from './architecture.js';

/** What else a place in a block is called. */
interface BlockAliases {
  /** The place, behind the name of its block. */
  readonly place: string;
  /** Modules whose output it is. */
  readonly modules: readonly BlockModule[];
  /** Hooks of bridges, behind the name of the block. */
  readonly bridge: readonly string[];
}

/**
 * Other names of every place, by its own name.
 *
 * The output of a module is the place that has the same values, and where another value in its
 * stead has the same effect: `ln2.hook_in` of a bridge is `hook_mlp_in`, as it changes what the MLP
 * reads and leaves the residual alone. Modules that give queries, keys and values in one have no
 * place, and neither has an output before its cap.
 */
export function hookAliases(architecture: Architecture): ReadonlyMap<string, readonly string[]> {
  const { modules, layerCount, logitCap, positions } = architecture;
  const found = new Map<string, readonly string[]>();
  const add = (place: string, names: readonly string[]) => {
    found.set(place, [...new Set(names)].filter((name) => name !== place).toSorted());
  };
  const named = (name: string) => [name, withoutPrefix(architecture, name)];
  add('hook_embed', [...named(modules.embedding), 'embed_tokens', 'embed.hook_out']);
  if (positions.kind === 'learned' && modules.positions !== null) {
    add('hook_pos_embed', [...named(modules.positions), 'pos_embed.hook_out']);
  }
  const table = blockAliases(architecture);
  for (let block = 0; block < layerCount; block += 1) {
    const [long, short] = named(modules.block.replace('{i}', String(block))) as [string, string];
    for (const { place, modules: own, bridge } of table) {
      add(`blocks.${block}.${place}`, [
        ...own.flatMap((module) => moduleNamesOf(architecture, module, [long, short])),
        ...(place === 'hook_resid_post' ? [long, short, `layers.${block}`] : []),
        ...own.flatMap((module) => standardNames(module, block)),
        ...bridge.map((name) => `blocks.${block}.${name}`),
      ]);
    }
  }
  const norm = ['ln_final', 'ln_final.hook_out', 'unembed.hook_in'];
  add('ln_final.hook_normalized', [...named(modules.finalNorm), ...norm]);
  const output = ['lm_head', 'unembed.hook_out', 'hook_unembed'];
  if (logitCap === null) add('hook_logits', [...named(modules.output), ...output]);
  return found;
}

/** A name as files have it that leave out its first part. */
export function withoutPrefix({ modules }: Architecture, name: string): string {
  const { optionalPrefix: prefix } = modules;
  return prefix !== null && name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

function moduleNamesOf(
  { modules }: Architecture,
  module: BlockModule,
  blocks: readonly string[],
): string[] {
  const name = modules.inBlock[module];
  return name === null ? [] : blocks.map((block) => `${block}.${name}`);
}

/** Names that nnterp has for every family. */
function standardNames(module: BlockModule, block: number): string[] {
  if (module === 'attn') return [`layers.${block}.self_attn`];
  return module === 'mlp' ? [`layers.${block}.mlp`] : [];
}

function blockAliases({ isGated, hasPostNorms, sharesNorm }: Architecture): BlockAliases[] {
  const heads = (module: 'k' | 'q' | 'v') => ({
    ...{ place: `attn.hook_${module}`, modules: [module], bridge: [`attn.${module}.hook_out`] },
  });
  const norm = (module: BlockModule, bridge: readonly string[] = []) => ({
    place: `${module}.hook_normalized`,
    ...{ modules: [module], bridge: [`${module}.hook_out`, ...bridge] },
  });
  const up = { modules: ['up' as const], bridge: ['mlp.in.hook_out'] };
  return [
    { place: 'hook_resid_pre', modules: [], bridge: ['hook_in'] },
    norm('ln1', sharesNorm ? [] : ['attn.hook_in']),
    ...[heads('q'), heads('k'), heads('v')],
    { place: 'attn.hook_z', modules: [], bridge: ['attn.o.hook_in'] },
    {
      place: hasPostNorms ? 'attn.hook_out' : 'hook_attn_out',
      ...{ modules: ['attn', 'o'], bridge: ['attn.hook_out', 'attn.o.hook_out'] },
    },
    ...(hasPostNorms ? [norm('ln1_post'), norm('ln2_post')] : []),
    ...(sharesNorm
      ? []
      : [
          { place: 'hook_mlp_in', modules: [], bridge: ['ln2.hook_in'] },
          norm('ln2', ['mlp.hook_in']),
        ]),
    ...(isGated
      ? [
          { place: 'mlp.hook_pre', modules: ['gate' as const], bridge: ['mlp.gate.hook_out'] },
          { place: 'mlp.hook_pre_linear', ...up },
        ]
      : [{ place: 'mlp.hook_pre', ...up }]),
    { place: 'mlp.hook_post', modules: [], bridge: ['mlp.out.hook_in'] },
    {
      place: hasPostNorms ? 'mlp.hook_out' : 'hook_mlp_out',
      ...{ modules: ['mlp', 'down'], bridge: ['mlp.hook_out', 'mlp.out.hook_out'] },
    },
    { place: 'hook_resid_post', modules: [], bridge: ['hook_out'] },
  ];
}
