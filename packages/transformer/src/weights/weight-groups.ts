/**
 * Which part of a model each weight belongs to.
 */
import type { FamilyModel } from '../families/family.js';
import type { Checkpoint } from './checkpoint.js';
import { blockPrefix, matchWeights, weightList } from './expected-weights.js';

/** Part of a model that a weight belongs to; norms of queries and keys are attention's. */
export type WeightPart = 'attention' | 'embedding' | 'mlp' | 'norm' | 'output';

/** A weight and where it belongs. */
export interface PlacedWeight {
  /** As the family calls it, whatever the files leave out. */
  readonly name: string;
  /** In the files. */
  readonly fileName: string;
  /** Null outside of the blocks. */
  readonly layer: number | null;
  readonly part: WeightPart;
}

/**
 * The weights of a checkpoint with their parts, in the order of the model.
 *
 * @param model - what `readModelConfig` gives.
 * @throws {ModelError} where the weights are not those of the model.
 */
export function placedWeights(
  model: FamilyModel,
  checkpoint: Pick<Checkpoint, 'folder' | 'weights'>,
): PlacedWeight[] {
  const prefixes = Array.from({ length: model.architecture.layerCount }, (_, layer) =>
    blockPrefix(model, layer),
  );
  return [...matchWeights(weightList(model), checkpoint)].map(([name, fileName]) => {
    const layer = prefixes.findIndex((prefix) => name.startsWith(prefix));
    if (layer < 0) return { name, fileName, layer: null, part: outerPart(model, name) };
    const inBlock = name.slice(prefixes[layer]!.length).replace(/\.(weight|bias)$/, '');
    return { name, fileName, layer, part: blockPart(model, inBlock) };
  });
}

function outerPart({ weights }: FamilyModel, name: string): WeightPart {
  if (name.startsWith(`${weights.output}.`)) return 'output';
  return name.startsWith(`${weights.finalNorm}.`) ? 'norm' : 'embedding';
}

function blockPart({ weights: { names } }: FamilyModel, module: string): WeightPart {
  const { queryKeyValue, output, queryNorm, keyNorm, gateUp, down } = names;
  const attention = [...Object.values(queryKeyValue), output, queryNorm, keyNorm];
  if (attention.includes(module)) return 'attention';
  return [...Object.values(gateUp), down].includes(module) ? 'mlp' : 'norm';
}
