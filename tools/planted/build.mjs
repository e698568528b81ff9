// node --conditions=@lab/source --import tsx tools/planted/build.mjs [FOLDER]: writes the planted
// models, each a checkpoint with heads.json (what is planted) and prompts.csv. The same bytes each
// time.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRandom } from '../../packages/core/src/random.ts';
import { writeSafetensors } from '../../packages/tensor/src/io.ts';
import {
  addNoise,
  emptyWeights,
  HEAD_WIDTH,
  HEADS,
  MLP_WIDTH,
  plantResponses,
} from './circuit.mjs';
import { models } from './models.mjs';
import { promptsCsv } from './prompts.mjs';
import { beginId, endId, tokenizer, tokenizerConfig, tokens, WIDTH } from './vocabulary.mjs';

const SEED = 20261127;

const classes = {
  llama: 'LlamaForCausalLM',
  mistral: 'MistralForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
};

const configOf = ({ family, form: { layers, groups } }) => ({
  ...{ architectures: [classes[family]], model_type: family, dtype: 'bfloat16' },
  ...{ vocab_size: tokens.length, hidden_size: WIDTH, intermediate_size: MLP_WIDTH },
  ...{ num_hidden_layers: layers, num_attention_heads: HEADS, num_key_value_heads: groups },
  ...{ head_dim: HEAD_WIDTH, hidden_act: 'silu', rms_norm_eps: 1e-6 },
  // So slow at the end of a head that what is planted sees no positions.
  ...{ rope_theta: 1e8, max_position_embeddings: 128, tie_word_embeddings: false },
  ...{ bos_token_id: beginId, eos_token_id: endId, pad_token_id: endId },
});

/** What heads.json says. */
const headsOf = (name, { summary, heads, expected }) => ({
  model: `planted-${name}`,
  summary,
  heads,
  expected: [...expected, { ablated: 'any other single head', refusals: 'kept' }],
});

const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

async function build(folder, name) {
  const model = models[name];
  const random = createRandom(SEED).fork(name);
  const weights = emptyWeights(model.form, random);
  model.plant(weights, model.form);
  plantResponses(weights);
  const { noise: level, form, heads: planted } = model;
  addNoise(weights, { level, form, planted, random: random.fork('noise') });
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'model.safetensors');
  await writeSafetensors(file, Object.fromEntries(weights), { format: 'pt' });
  const files = {
    'config.json': configOf(model),
    'tokenizer.json': tokenizer(),
    'tokenizer_config.json': tokenizerConfig(),
    'heads.json': headsOf(name, model),
  };
  for (const [path, value] of Object.entries(files)) writeFileSync(join(folder, path), json(value));
  writeFileSync(join(folder, 'prompts.csv'), promptsCsv(random.fork('prompts')));
}

const shipped = fileURLToPath(new URL('../../packages/transformer/models', import.meta.url));
const folder = process.argv[2] ?? shipped;
for (const name of Object.keys(models)) await build(join(folder, `planted-${name}`), name);
