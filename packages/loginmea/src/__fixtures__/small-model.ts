/** Two small graphs with features for tests. */
import { createRandom } from '@lab/core';
import { createCsr, tf } from '@lab/tensor';
import { createModel, type ModelInputs, type ModelSettings } from '../model.js';
import { createRelationGraph } from '../relation-attention.js';

/** Five entities; 0, 1 and 2 are joined, 3 has a triple with itself, 4 has none. */
export const smallGraph = {
  entityCount: 5,
  triples: {
    heads: Int32Array.of(0, 1, 0, 3, 0),
    relations: Int32Array.of(0, 1, 2, 1, 0),
    tails: Int32Array.of(1, 2, 1, 3, 1),
    leftCount: 2,
  },
};

/** R0 = 4: relations 0 to 2 are rows 1 to 3, their inverses rows 5 to 7. */
export const smallRelationCount = 4;

/** Feature tables of the entities. */
export const smallFeatures = {
  image: [
    [1, 0, 2],
    [0, 1, 0],
    [3, 1, 0],
    [0, 0, 1],
    [2, 2, 1],
  ],
  attribute: [
    [1, 0],
    [0, 1],
    [0, 0],
    [1, 0],
    [0, 1],
  ],
};

/**
 * Inputs with images `[5, 3]` and attributes `[5, 2]`; `dispose()` frees them.
 *
 * @param mask - which entity has which of the two; default all.
 */
export function smallInputs(
  mask: readonly (readonly number[])[] | null = null,
): ModelInputs & { dispose(): void } {
  const graph = createRelationGraph(smallGraph);
  const image = tf.tensor2d(smallFeatures.image);
  const available = mask === null ? null : tf.tensor2d(mask.flat(), [5, 2]);
  const attribute = createCsr({
    rowCount: 5,
    columnCount: 2,
    rowPointers: Int32Array.of(0, 1, 2, 2, 3, 4),
    columns: Int32Array.of(0, 1, 0, 1),
  });
  return {
    graph,
    features: { image, attribute },
    available,
    dispose() {
      for (const part of [graph, image, attribute]) part.dispose();
      available?.dispose();
    },
  };
}

/** Its model with D = 4, K = 2, L = 2; `dispose()` frees the inputs too. */
export function smallModel(
  settings: ModelSettings = {},
  mask: readonly (readonly number[])[] | null = null,
) {
  const inputs = smallInputs(mask);
  const model = createModel(inputs, { size: 4, rank: 2, ...settings }, createRandom(1));
  return {
    inputs,
    model,
    dispose() {
      model.dispose();
      inputs.dispose();
    },
  };
}
