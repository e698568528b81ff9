import { existsSync } from 'node:fs';
import { createRandom } from '@lab/core';
import { selectBackend } from '@lab/tensor';
import { loadModel, writeRandomCheckpoint } from '@lab/transformer';
import { scanOperations } from '../src/plan.js';
import { screenedShips } from '../src/screened-scan.js';
import { ships } from '../src/ships.js';
const SH: any = { gpt2: { model_type: 'gpt2', vocab_size: 50257, n_positions: 1024, n_embd: 768, n_layer: 12, n_head: 12, architectures: ['GPT2LMHeadModel'] },
 qwen: { model_type: 'qwen2', vocab_size: 151936, hidden_size: 896, intermediate_size: 4864, num_hidden_layers: 24, num_attention_heads: 14, num_key_value_heads: 2, tie_word_embeddings: true, rms_norm_eps: 1e-6, rope_theta: 1000000, max_position_embeddings: 32768, architectures: ['Qwen2ForCausalLM'] } };
const [shape, backend, batch, share, top, mix, rounds] = process.argv.slice(2);
const folder = `/tmp/s1/${shape}`;
if (!existsSync(folder)) await writeRandomCheckpoint(folder, SH[shape]);
const r = createRandom(1).fork('ids');
const ids = Array.from({ length: 32 }, () => r.integer(SH[shape].vocab_size));
const rep = await selectBackend(backend as any);
const model = await loadModel(folder, { validate: 'off' });
await ships(model, ids, { heads: [{ layer: 0, head: 0 }] });
const cpu = async (name: string, f: () => Promise<unknown>, ops: number) => {
  for (let i = 0; i < Number(rounds ?? 1); i++) {
  const a = process.cpuUsage(); const t = performance.now();
  await f();
  const b = process.cpuUsage(a); const w = (performance.now() - t) / 1000;
  const c = (b.user + b.system) / 1e6;
  console.log(name, 'cpu', c.toFixed(2), 'cpu/2', (c / 2).toFixed(2), 'wall', w.toFixed(2), 'user', (b.user / 1e6).toFixed(2), ops > 0 ? `${(ops / c * 2 / 1e9).toFixed(0)} GF/s of 2` : ''); }
};
console.log(rep.name);
const { operations, naiveOperations } = scanOperations(model.architecture, { promptTokens: [32], ablation: { kind: 'uniform' }, hasLogits: true });
console.log('TFLOP', operations / 1e12, naiveOperations / 1e12);
await cpu('screened', () => screenedShips(model, ids, { share: Number(share), topTokens: Number(top), mixtures: Number(mix) }), 0);
await cpu('one', () => screenedShips(model, ids, { share: 1e-9, topTokens: Number(top), mixtures: Number(mix) }), 0);
if (process.env.EXACT !== '0') await cpu('exact', () => ships(model, ids, { batchTokens: Number(batch) }), operations);
model.dispose();
