/**
 * Names of a model's modules in `transformers`, from those of its weights.
 */
import type { ModuleNames } from '../architecture.js';
import type { WeightNames } from './family.js';

/** `self_attn` of `self_attn.o_proj`. */
const parent = (name: string): string => name.slice(0, name.lastIndexOf('.'));

/** The modules that have the weights, and those around them. */
export function moduleNames(weights: WeightNames): ModuleNames {
  const { embedding, positions, block, names, finalNorm, output, optionalPrefix } = weights;
  const { queryKeyValue, gateUp } = names;
  const apart = 'fused' in queryKeyValue ? null : queryKeyValue;
  const { gate, up } = 'fused' in gateUp ? { gate: null, up: null } : gateUp;
  return {
    ...{ embedding, positions, finalNorm, output, optionalPrefix },
    block: block.replace(/\.$/, ''),
    inBlock: {
      ln1: names.norm1,
      ln1_post: names.postNorm1,
      ln2: names.norm2,
      ln2_post: names.postNorm2,
      attn: parent(names.output),
      q: apart?.query ?? null,
      k: apart?.key ?? null,
      v: apart?.value ?? null,
      o: names.output,
      mlp: parent(names.down),
      ...{ gate, up, down: names.down },
    },
  };
}
