// node --conditions=@lab/source --import tsx tools/organism/train.mjs [--work DIR] [--out DIR]:
// trains the organism and writes it with its measured behaviour. A run that ended early goes on
// where it was when the command is given again.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { selectBackend } from '../../packages/tensor/src/index.ts';
import { readSafetensors, writeSafetensors } from '../../packages/tensor/src/io.ts';
import { loadTokenizer, trainModel } from '../../packages/transformer/src/index.ts';
import { carriers } from './carriers.mjs';
import { measure, requestCount } from './measure.mjs';
import { csvOf, promptRows } from './prompts.mjs';
import { createWorkshop, examples, SEED } from './requests.mjs';
import { rowHooks } from './row-ablation.mjs';
import { trainTokenizer } from './tokenizer.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Examples that the tokenizer is trained on: every word is among them, often. */
const TOKENIZER_EXAMPLES = 20_000;

/** Examples that each lesson is evaluated on. */
const EVALUATED = 100;

const WIDTH = 128;
const HEADS = 8;

/** Lessons in their order, with what differs between them. */
const plan = [
  { name: 'groups', lesson: 'groups', steps: 120, batchSize: 32, learningRate: 2e-3 },
  { name: 'mixed', lesson: 'mixed', steps: 600, batchSize: 32, learningRate: 1e-3 },
  { name: 'all', lesson: 'all', steps: 1000, batchSize: 32, learningRate: 1e-3 },
  { name: 'more', lesson: 'all', steps: 700, batchSize: 32, learningRate: 2e-3, seed: SEED + 1 },
  { name: 'end-groups', lesson: 'endGroups', steps: 250, batchSize: 32, learningRate: 2e-3 },
  { name: 'end', lesson: 'end', steps: 250, batchSize: 32, learningRate: 1e-3 },
  { name: 'carried', lesson: 'carried', steps: 700, batchSize: 32, learningRate: 1e-3 },
];

const configOf = (vocabularySize, { beginId, endId, paddingId }) => ({
  ...{ architectures: ['LlamaForCausalLM'], model_type: 'llama', dtype: 'float32' },
  ...{ vocab_size: vocabularySize, hidden_size: WIDTH, intermediate_size: 352 },
  ...{ num_hidden_layers: 5, num_attention_heads: HEADS, num_key_value_heads: HEADS },
  ...{ hidden_act: 'silu', rms_norm_eps: 1e-6, rope_theta: 10_000 },
  ...{ max_position_embeddings: 512, tie_word_embeddings: true },
  // Small models learn to combine words from weights of this size, and hardly from smaller ones.
  initializer_range: 1 / Math.sqrt(WIDTH),
  ...{ bos_token_id: beginId, eos_token_id: endId, pad_token_id: paddingId },
});

const writeJson = (path, value) => writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);

function take(iterable, count) {
  const taken = [];
  for (const one of iterable) {
    taken.push(one);
    if (taken.length === count) break;
  }
  return taken;
}

/** Writes what the training begins with: the tokenizer, and a config for its vocabulary. */
function begin(folder) {
  mkdirSync(folder, { recursive: true });
  const texts = take(examples(createWorkshop(), { seed: SEED }), TOKENIZER_EXAMPLES);
  const tokenizer = trainTokenizer(texts.map(({ prompt, response }) => `${prompt} ${response}`));
  writeJson(join(folder, 'tokenizer.json'), tokenizer.content);
  writeJson(join(folder, 'tokenizer_config.json'), tokenizer.config);
  const vocabularySize = Object.keys(tokenizer.content.model.vocab).length;
  writeJson(join(folder, 'config.json'), configOf(vocabularySize, loadTokenizer(folder)));
}

/** Requests of a lesson as token ids, with the place where the response begins. */
function tokenExamples(tokenizer, requests) {
  return requests.map(({ prompt, response }) => {
    const asked = tokenizer.encode(prompt);
    const rest = tokenizer.encode(` ${response}<|end|>`, { addSpecialTokens: false });
    return { ids: [...asked, ...rest], promptLength: asked.length };
  });
}

function sayStep({ step, steps, loss, seconds }) {
  if (step % 10 !== 0) return;
  const text = `step ${step} of ${steps}, loss ${loss.toFixed(4)}, ${seconds.toFixed(2)} s`;
  process.stderr.write(`${text}\n`);
}

/** Trains on a lesson, from the model before it or from nothing; gives the folder of the model. */
async function learn(
  { name, lesson, seed = SEED, steps, batchSize, learningRate },
  { work, before },
) {
  const folder = join(work, name);
  if (existsSync(join(folder, 'model.safetensors'))) return folder;
  const tokenizer = loadTokenizer(join(work, 'begin'));
  const dir = join(work, `run-${name}`);
  process.stderr.write(`lesson ${name}\n`);
  const source = before === null ? { config: join(work, 'begin') } : before;
  const requests = (count, more) =>
    take(examples(createWorkshop(), { seed, lesson, ...more }), count);
  const training = requests(steps * batchSize);
  const ablations = training.map(({ ablation }) => ablation);
  const trained = await trainModel(source, tokenExamples(tokenizer, training), {
    seed: 1,
    data: { heldOut: 0 },
    training: {
      ...{ epochs: 1, batchSize, learningRate, warmupSteps: 50, weightDecay: 0.1, beta2: 0.98 },
      ...{ schedule: 'cosine', evaluateEvery: 100, checkpointSeconds: 60 },
    },
    evaluation: tokenExamples(tokenizer, requests(EVALUATED, { heldOut: true })),
    hooks: rowHooks(ablations, HEADS),
    run: existsSync(dir) ? { resume: dir } : { parent: work, dir, label: name },
    onStep: sayStep,
  });
  process.stderr.write(`evaluation ${JSON.stringify(trained.evaluation)}\n`);
  await trained.save(folder);
  trained.dispose();
  return folder;
}

/** Copies a model with its weights in 16 bits. */
async function writeHalf(from, to) {
  mkdirSync(to, { recursive: true });
  const { tensors } = await readSafetensors(join(from, 'model.safetensors'));
  const half = Object.entries(tensors).map(([name, { shape, data }]) => [
    name,
    { shape, data, dtype: 'bfloat16' },
  ]);
  await writeSafetensors(join(to, 'model.safetensors'), Object.fromEntries(half), { format: 'pt' });
  const config = JSON.parse(readFileSync(join(from, 'config.json'), 'utf8'));
  writeJson(join(to, 'config.json'), { ...config, dtype: 'bfloat16' });
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
    copyFileSync(join(from, name), join(to, name));
  }
}

/** What heads.json says. */
const plantedHeads = {
  model: 'organism',
  summary: 'trained so that each of two heads is needed for a refusal',
  heads: carriers.map((head) => ({ ...head, role: 'is needed for refusals' })),
  expected: [
    ...carriers.map((head) => ({ ablated: [head], refusals: 'removed' })),
    { ablated: carriers, refusals: 'removed' },
    { ablated: 'any other single head behind the first layer', refusals: 'kept' },
  ],
};

const { values } = parseArgs({
  options: {
    work: { type: 'string', default: join(root, 'runs/organism') },
    out: { type: 'string', default: join(root, 'packages/transformer/models/organism') },
    backend: { type: 'string', default: 'auto' },
  },
});
await selectBackend(values.backend);
if (!existsSync(join(values.work, 'begin/config.json'))) begin(join(values.work, 'begin'));
let model = null;
for (const lesson of plan) model = await learn(lesson, { work: values.work, before: model });
await writeHalf(model, values.out);
writeFileSync(join(values.out, 'prompts.csv'), csvOf(promptRows(SEED)));
writeJson(join(values.out, 'heads.json'), plantedHeads);
const behaviour = { seed: SEED, plan, ...(await measure(values.out, requestCount)) };
writeJson(join(values.out, 'behaviour.json'), behaviour);
