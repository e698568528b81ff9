/** A synthetic pair of graphs, as inputs of the full step and of the step in blocks. */
import type { SeedBatch } from '@lab/alignment';
import { createRandom } from '@lab/core';
import { attributeFeatures, relationFeatures, scaleFeatures, syntheticPair } from '@lab/graph';
import { createCsr } from '@lab/tensor';
import { createBlockwiseModel } from '../blockwise-model.js';
import { createHostGraph, type HostInputs } from '../host-inputs.js';
import { createModel, type ModelSettings } from '../model.js';
import { createRelationGraph } from '../relation-attention.js';

/** Data and inputs in the host's memory; images `[2 entities, 3]` where asked for. */
export function hostPair(entities: number, options: { readonly images?: boolean } = {}) {
  const random = createRandom(7);
  const data = syntheticPair({ entities, random: random.fork('pair'), relations: 20 });
  const relation = scaleFeatures(relationFeatures(data), 'log1p');
  const attribute = attributeFeatures(data)!;
  const size = { rowCount: data.entityCount, columnCount: 3 };
  const values = random.fork('images').fillNormal(new Float32Array(3 * data.entityCount));
  const features =
    options.images === true
      ? { image: { ...size, values }, relation, attribute }
      : { relation, attribute };
  const inputs: HostInputs = { graph: createHostGraph(data), features, available: null };
  return { data, inputs };
}

/** The first links in batches of that many pairs. */
export function seedBatches(links: Int32Array, sizes: readonly number[]): SeedBatch[] {
  let next = 0;
  return sizes.map((size) => {
    const pairs = links.subarray(2 * next, 2 * (next + size));
    next += size;
    return {
      left: pairs.filter((_, i) => i % 2 === 0),
      right: pairs.filter((_, i) => i % 2 === 1),
    };
  });
}

/** The same model twice, whole on the backend and in blocks, without images. */
export function bothModels(entities: number, settings: ModelSettings) {
  const { data, inputs } = hostPair(entities);
  const graph = createRelationGraph(data);
  const { relation, attribute } = inputs.features;
  const features = {
    relation: createCsr(relation as Parameters<typeof createCsr>[0]),
    attribute: createCsr(attribute as Parameters<typeof createCsr>[0]),
  };
  const whole = createModel({ graph, features, available: null }, settings, createRandom(3));
  const blockwise = createBlockwiseModel(inputs, settings, createRandom(3));
  return {
    ...{ data, inputs, whole, blockwise },
    dispose() {
      for (const part of [whole, blockwise, graph, features.relation, features.attribute]) {
        part.dispose();
      }
    },
  };
}
