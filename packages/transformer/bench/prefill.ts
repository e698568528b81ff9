// Prefill of 8 x 128 tokens with all logits, and hidden states of 200 prompts with the logits of
// their last tokens, beside transformers on PyTorch in float32, in one run, in turns:
//   node --conditions=@lab/source --import tsx bench/prefill.ts [SHAPE] [BACKEND]
// SHAPE is gpt2-small or qwen2.5-0.5b, of random weights made on the spot. Needs python3 with torch
// and transformers. Prints one JSON line, and fails above the gates: on tensorflow 1.25 times
// PyTorch's time, on wasm 1.3 times the counted operations at this run's rate of a product of
// 2048 x 2048. Run it on an idle machine.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { type BackendChoice, selectBackend, tf } from '@lab/tensor';
import {
  hiddenStates,
  loadModel,
  operationsOf,
  type TokenInput,
  writeRandomCheckpoint,
} from '../src/index.js';
import { type ShapeName, SHAPES } from './shapes.js';

const ROUNDS = 3;
const PROMPTS = 200;
const [BATCH, LENGTH] = [8, 128];
const GATES = { tensorflow: 1.25, bound: 1.3 } as const;

const shape = (process.argv[2] ?? 'gpt2-small') as ShapeName;
const backend = (process.argv[3] ?? 'auto') as BackendChoice;
const config = SHAPES[shape];
const folder = mkdtempSync(join(tmpdir(), 'lab-prefill-'));
const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
const timed = async (work: () => Promise<void>) => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

/** Operations a second of a square product. */
async function productRate(): Promise<number> {
  const size = 2048;
  const [a, b] = [tf.randomNormal([size, size]), tf.randomNormal([size, size])];
  const seconds: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    seconds.push(
      await timed(async () => {
        const product = tf.matMul(a, b);
        await product.data();
        product.dispose();
      }),
    );
  }
  tf.dispose([a, b]);
  return (2 * size ** 3) / median(seconds);
}

try {
  await writeRandomCheckpoint(folder, config);
  const random = createRandom(1).fork('ids');
  const batches = Array.from({ length: PROMPTS / BATCH }, () =>
    Array.from({ length: BATCH }, () =>
      Array.from({ length: LENGTH }, () => random.integer(config.vocab_size)),
    ),
  );
  const idsFile = join(folder, 'ids.json');
  writeFileSync(idsFile, JSON.stringify({ batches }));
  const report = await selectBackend(backend);
  const script = join(import.meta.dirname, 'prefill.py');
  const args = [script, folder, idsFile, String(ROUNDS), String(cpus().length)];
  const python = spawnSync('python3', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (python.status !== 0) throw new Error(`prefill.py failed: ${python.stderr.slice(-800)}`);
  const theirs = JSON.parse(python.stdout.trim().split('\n').at(-1)!) as {
    load: number;
    prefill: number[];
    hidden: number;
    sample: number[];
    torch: string;
  };
  let model = await loadModel(folder);
  model.dispose();
  const load = await timed(async () => {
    model = await loadModel(folder);
  });
  const prefill: number[] = [];
  let sample: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    prefill.push(
      await timed(async () => {
        const result = await model.forward({ ids: batches[0]! });
        const logits = (await result.logits!.data()) as Float32Array;
        sample = Array.from({ length: LENGTH * 50 }, (_, at) => {
          const [token, id] = [Math.floor(at / 50), at % 50];
          return logits[token * config.vocab_size + id]!;
        });
        result.dispose();
      }),
    );
  }
  const inputs: TokenInput[] = batches.map((ids) => ({ ids }));
  const hidden = await timed(async () => {
    const options = { positions: 'last', logits: true } as const;
    for await (const { data } of hiddenStates(model, inputs, options)) {
      if (!Number.isFinite(data[0]!)) throw new Error('a hidden state is not finite');
    }
  });
  const rate = await productRate();
  const { architecture } = model;
  const [batchSize, length] = [BATCH, LENGTH];
  const bounds = {
    prefill: operationsOf(architecture, { batchSize, length }) / rate,
    hidden: (batches.length * operationsOf(architecture, { batchSize, length }, 'last')) / rate,
  };
  model.dispose();
  const farthest = sample.reduce(
    (most, value, at) => Math.max(most, Math.abs(value - theirs.sample[at]!)),
    0,
  );
  const ratio = (own: number, other: number) => Number((own / other).toFixed(3));
  const ratios = {
    prefill: ratio(median(prefill), median(theirs.prefill)),
    hidden: ratio(hidden, theirs.hidden),
    load: ratio(load, theirs.load),
  };
  const toBound = {
    prefill: ratio(median(prefill), bounds.prefill),
    hidden: ratio(hidden, bounds.hidden),
  };
  const ours = { load, prefill, hidden, gigaflops: Number((rate / 1e9).toFixed(1)) };
  const { load: theirLoad, prefill: theirPrefill, hidden: theirHidden, torch } = theirs;
  const pytorch = { load: theirLoad, prefill: theirPrefill, hidden: theirHidden, torch };
  const names = { shape, backend: report.name };
  console.log(JSON.stringify({ ...names, ratios, toBound, farthest, ours, pytorch }));
  const isNative = report.name === 'tensorflow';
  const { tensorflow: native, bound } = GATES;
  const isSlow = isNative
    ? ratios.prefill > native || ratios.hidden > native
    : toBound.prefill > bound || toBound.hidden > bound;
  if (farthest > 1e-3 || isSlow) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
