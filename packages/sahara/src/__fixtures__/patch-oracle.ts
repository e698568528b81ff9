import type { Intervention, Model } from '@lab/transformer';
import type { TokenPrompt } from '../head-outputs.js';
import type { klDivergence } from '../kl.js';

/** Scores of every head by a pass of its own, with an intervention that holds the source's z. */
export async function patchedScores(
  model: Model,
  { ids, source = [] }: TokenPrompt,
  divergence: typeof klDivergence,
): Promise<number[][]> {
  const { layerCount, headCount, headWidth } = model.architecture;
  const size = headCount * headWidth;
  const shared = Math.min(ids.length, source.length);
  const states = await model.forward({ ids: [source], capture: /hook_z$/, logits: 'none' });
  states.dispose();
  const intact = softmax(await lastLogits(model, ids));
  const scores: number[][] = [];
  for (let layer = 0; layer < layerCount; layer += 1) {
    const given = states.captured.get(`blocks.${layer}.attn.hook_z`)!.data;
    const row: number[] = [];
    for (let head = 0; head < headCount; head += 1) {
      const changes = Array.from({ length: shared }, (_, at): Intervention => {
        const from = (source.length - shared + at) * size;
        return {
          ...{ kind: 'patch', site: 'z', layer, head },
          positions: [ids.length - shared + at],
          value: Array.from(given.subarray(from, from + size)),
        };
      });
      row.push(divergence(intact, softmax(await lastLogits(model, ids, changes))));
    }
    scores.push(row);
  }
  return scores;
}

async function lastLogits(
  model: Model,
  ids: readonly number[],
  interventions: readonly Intervention[] = [],
): Promise<Float32Array> {
  const result = await model.forward({ ids: [ids], logits: 'last', interventions });
  const values = (await result.logits!.data()) as Float32Array;
  result.dispose();
  return values;
}

function softmax(logits: Float32Array): Float64Array {
  const most = Math.max(...logits);
  const powers = Float64Array.from(logits, (value) => Math.exp(value - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / sum);
}
