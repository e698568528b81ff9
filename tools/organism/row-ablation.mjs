// Heads that are ablated in some rows of a batch, as hooks of a training.
import { tf } from '../../packages/tensor/src/index.ts';

/**
 * Where a head is ablated: scores of 0 are an even pattern, and outputs of 0 are none. `shape` is
 * that of factors of rows and heads at the place.
 */
const places = {
  uniform: { site: 'attn_scores_raw', shape: (rows, heads) => [rows, heads, 1, 1] },
  zero: { site: 'z', shape: (rows, heads) => [rows, 1, heads, 1] },
};

/**
 * Hooks for `trainModel`.
 *
 * @param ablations - of each example.
 * @param headCount - heads of a layer.
 */
export function rowHooks(ablations, headCount) {
  return (examples) => {
    const factors = new Map();
    for (const [row, number] of examples.entries()) {
      const { kind, heads } = ablations[number - 1];
      for (const { layer, head } of heads) {
        const { site, shape } = places[kind];
        const name = `blocks.${layer}.attn.hook_${site}`;
        const own = factors.get(name) ?? {
          shape: shape(examples.length, headCount),
          values: new Float32Array(examples.length * headCount).fill(1),
        };
        own.values[row * headCount + head] = 0;
        factors.set(name, own);
      }
    }
    return [...factors].map(([names, { shape, values }]) => ({
      names,
      run: (value) => tf.mul(value, tf.tensor(values, shape)),
    }));
  };
}
