// Which heads matter for a prediction, in a checkpoint of one's own:
//   main.ts [FOLDER [TEXT]]
// Without a folder a checkpoint is made on the spot: random, in 16 bits, in shards.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatBytes, formatDuration } from '@lab/core';
import { table } from '@lab/core/cli';
import {
  estimateRun,
  loadModel,
  loadTokenizer,
  type Model,
  validateModel,
  writeRandomCheckpoint,
} from '@lab/transformer';

const [given, text = 'The capital of France is'] = process.argv.slice(2);
const folder = given ?? mkdtempSync(join(tmpdir(), 'own-model-'));
if (given === undefined) {
  const shape = { hidden_size: 64, intermediate_size: 128, num_hidden_layers: 4, vocab_size: 300 };
  const heads = { num_attention_heads: 8, num_key_value_heads: 2 };
  const config = { model_type: 'qwen2', ...shape, ...heads };
  await writeRandomCheckpoint(folder, config, { dtype: 'bfloat16', shardBytes: 100_000 });
}
const ids = given === undefined ? [[3, 141, 59, 26, 5]] : [[...loadTokenizer(folder).encode(text)]];

const batches = [{ batchSize: 1, length: ids[0]!.length }];
const { residency, runSeconds, peakBytes } = await estimateRun(folder, { batches });
console.error(
  `weights ${residency}, a pass about ${formatDuration(runSeconds)}, ` +
    `memory about ${formatBytes(peakBytes)}`,
);

const model = await loadModel(folder);
const checks = await validateModel(model);

// Head by head: how far the distribution of the next token moves when the head is silent.
const plain = await nextToken(model, []);
const found: { layer: number; head: number; divergence: number }[] = [];
const { layerCount, headCount } = model.architecture;
for (let layer = 0; layer < layerCount; layer += 1) {
  for (let head = 0; head < headCount; head += 1) {
    const changed = await nextToken(model, [{ kind: 'zero', site: 'z', layer, head }]);
    found.push({ layer, head, divergence: divergenceOf(plain, changed) });
  }
}
model.dispose();
if (given === undefined) rmSync(folder, { recursive: true });

const ranked = found.toSorted((a, b) => b.divergence - a.divergence);
console.error(table(ranked.slice(0, 5), ['layer', 'head', 'divergence']));
console.log(
  JSON.stringify({
    residency,
    passed: checks.every((check) => check.passed),
    heads: found.length,
    first: ranked[0],
    least: ranked.at(-1)!.divergence,
  }),
);

async function nextToken(
  of: Model,
  interventions: NonNullable<Parameters<Model['forward']>[0]['interventions']>,
): Promise<Float64Array> {
  const result = await of.forward({ ids, interventions, logits: 'last' });
  const logits = Float64Array.from((await result.logits!.data()) as Float32Array);
  result.dispose();
  const highest = logits.reduce((most, value) => Math.max(most, value), -Infinity);
  const total = logits.reduce((sum, value) => sum + Math.exp(value - highest), 0);
  return logits.map((value) => value - highest - Math.log(total));
}

/** Kullback-Leibler divergence of two distributions, given as logarithms. */
function divergenceOf(one: Float64Array, other: Float64Array): number {
  return one.reduce((sum, value, at) => sum + Math.exp(value) * (value - other[at]!), 0);
}
