// Prefill of 8 x 128 tokens with all logits, and hidden states of 200 prompts, beside transformers
// on PyTorch in float32, in one run, in turns:
//   node --conditions=@lab/source --import tsx bench/prefill.ts [SHAPE] [BACKEND]
// SHAPE is gpt2-small or qwen2.5-0.5b, of random weights made on the spot. Needs python3 with torch
// and transformers. Prints one JSON line, and fails above the gate: 1.25 times PyTorch's time on
// tensorflow. Run it on an idle machine.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { type BackendChoice, selectBackend } from '@lab/tensor';
import { hiddenStates, loadModel, type TokenInput, writeRandomCheckpoint } from '../src/index.js';
import { type ShapeName, SHAPES } from './shapes.js';

const ROUNDS = 3;
const PROMPTS = 200;
const [BATCH, LENGTH] = [8, 128];
const GATE = 1.25;

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
    for await (const { data } of hiddenStates(model, inputs, { positions: 'last' })) {
      if (!Number.isFinite(data[0]!)) throw new Error('a hidden state is not finite');
    }
  });
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
  const ours = { load, prefill, hidden };
  const { load: theirLoad, prefill: theirPrefill, hidden: theirHidden, torch } = theirs;
  const pytorch = { load: theirLoad, prefill: theirPrefill, hidden: theirHidden, torch };
  console.log(JSON.stringify({ shape, backend: report.name, ratios, farthest, ours, pytorch }));
  const isNative = report.name === 'tensorflow';
  if (farthest > 1e-3 || (isNative && (ratios.prefill > GATE || ratios.hidden > GATE))) {
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
