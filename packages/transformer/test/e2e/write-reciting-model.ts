// Writes a small checkpoint that answers every chat with `{"score":4}`, and 3 now and then:
//   node --conditions=@lab/source --import tsx test/e2e/write-reciting-model.ts FOLDER
// Its blocks add nothing, so that a token alone decides on the next one.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors, writeSafetensors } from '@lab/tensor/io';
import { loadTokenizer, writeRandomCheckpoint } from '../../src/index.js';

const WIDTH = 32;
const folder = process.argv[2]!;
await writeRandomCheckpoint(folder, {
  ...{ model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'], vocab_size: 640 },
  ...{ hidden_size: WIDTH, intermediate_size: WIDTH, num_hidden_layers: 2 },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, max_position_embeddings: 8192 },
  ...{ tie_word_embeddings: false, rms_norm_eps: 1e-6, rope_theta: 10_000, eos_token_id: 502 },
});
const tokenizers = join(import.meta.dirname, '../golden/tokenizers');
cpSync(join(tokenizers, 'qwen2'), folder, { recursive: true });

// The vocabulary has one token with a quote, which could not have two that follow it.
const tokenizerFile = join(folder, 'tokenizer.json');
const content = JSON.parse(readFileSync(tokenizerFile, 'utf8')) as { added_tokens: object[] };
const BEGIN = 505;
content.added_tokens.push({
  ...{ id: BEGIN, content: '{"score":', single_word: false, lstrip: false, rstrip: false },
  ...{ normalized: false, special: false },
});
writeFileSync(tokenizerFile, JSON.stringify(content));

const tokenizer = loadTokenizer(folder);
const idOf = (text: string) => tokenizer.encode(text)[0]!;
const file = join(folder, 'model.safetensors');
const { tensors } = await readSafetensors(file);
for (const [name, { data }] of Object.entries(tensors)) {
  if (/o_proj|down_proj/.test(name)) data.fill(0 as never);
}
const embedding = tensors['model.embed_tokens.weight']!.data as Float32Array;
const output = tensors['lm_head.weight']!.data as Float32Array;
/** Makes a token likely behind another; by how much says `weight`. */
const follow = (before: number, next: number, weight = 2) => {
  for (let d = 0; d < WIDTH; d += 1) {
    output[next * WIDTH + d] = weight * embedding[before * WIDTH + d]!;
  }
};
follow(idOf('\n'), BEGIN);
follow(BEGIN, idOf('4'));
follow(BEGIN, idOf('3'), 1.8);
follow(idOf('4'), idOf('}'));
follow(idOf('}'), 502);
await writeSafetensors(file, tensors as Parameters<typeof writeSafetensors>[1]);
