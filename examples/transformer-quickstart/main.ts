// Hidden states of a batch of texts, and what each layer would say next.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { table } from '@lab/core/cli';
import { hiddenStates, loadModel, logitLens, writeRandomCheckpoint } from '@lab/transformer';

// A model of random weights, made on the spot: nothing is downloaded.
const folder = mkdtempSync(join(tmpdir(), 'quickstart-'));
await writeRandomCheckpoint(folder, {
  model_type: 'llama',
  vocab_size: 500,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 6,
  num_attention_heads: 8,
  num_key_value_heads: 2,
  tie_word_embeddings: true,
});
const model = await loadModel(folder);

// Two texts as token ids; the shorter one is filled up on the left.
const ids = [
  [17, 42, 256, 8, 399],
  [0, 0, 5, 23, 77],
];
const mask = [
  [1, 1, 1, 1, 1],
  [0, 0, 1, 1, 1],
];

const norms: number[] = [];
for await (const { layer, data } of hiddenStates(model, [{ ids, mask }], { positions: 'last' })) {
  norms[layer] = Math.hypot(...data.subarray(0, data.length / 2));
}

// The output's weights are the embeddings here: before the first block the lens names the token
// itself, and every block moves it a little further away.
const layers = await logitLens(model, { ids, mask, top: 3 });
const rows = layers.map(({ layer, tokens }) => ({
  layer: layer === 0 ? 'embedding' : `block ${layer - 1}`,
  norm: Number(norms[layer]!.toFixed(2)),
  tokens: tokens[0]!
    .map(({ id, logProbability }) => `${id} (${Math.exp(logProbability).toFixed(3)})`)
    .join('  '),
}));
console.error(table(rows));

model.dispose();
rmSync(folder, { recursive: true });
console.log(
  JSON.stringify({
    layers: layers.length,
    norms: { embedding: norms[0], last: norms.at(-1) },
    first: layers[0]!.tokens.map((tokens) => tokens[0]!.id),
    certainty: layers.map(({ tokens }) => Math.exp(tokens[0]![0]!.logProbability)),
  }),
);
