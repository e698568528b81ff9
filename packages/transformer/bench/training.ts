// Steps of a training beside transformers on PyTorch in float32, in one run, in turns: a decoder of
// 25 million weights, batches of 8 x 256 tokens, all weights, AdamW, gradients clipped:
//   node --conditions=@lab/source --import tsx bench/training.ts [BACKEND] [KERNELS] [MEMORY]
// KERNELS is machine or, for wasm without machine code, portable; MEMORY is kept or, with blocks
// computed again in the backward pass, recompute. Needs python3 with torch and transformers. Prints
// one JSON line, and fails where losses differ by 1e-3, where a step with machine code takes more
// than 1.3 times PyTorch's time, or where the process has ever been larger than PyTorch's. Run it
// on an idle machine.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createRandom } from '@lab/core';
import { type BackendChoice, memoryReport, selectBackend } from '@lab/tensor';
import { writeRandomCheckpoint } from '../src/index.js';
import { openSource } from '../src/training/model-source.js';
import { TrainingOptimizer } from '../src/training/optimizer.js';
import { trainingConfig } from '../src/training/training-config.js';
import { trainStep } from '../src/training/training-step.js';

const WARM = 2;
const ROUNDS = 5;
const [BATCH, LENGTH] = [8, 256];
const GATE = 1.3;
const CONFIG = {
  ...{ model_type: 'llama', vocab_size: 12_000, hidden_size: 512, intermediate_size: 1408 },
  ...{ num_hidden_layers: 6, num_attention_heads: 8, num_key_value_heads: 8, rms_norm_eps: 1e-6 },
  ...{ tie_word_embeddings: true, rope_theta: 10_000, architectures: ['LlamaForCausalLM'] },
};

const [first = 'auto', kernels = 'machine', memory = 'kept', ...more] = process.argv.slice(2);
const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
/** Most memory of this program; `maxRSS` would count that of the process it was started from. */
const peakBytes = () =>
  1024 * Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]);

interface Step {
  readonly seconds: number;
  readonly loss: number;
  readonly peakBytes: number;
}

/** The other program, a step for every call. */
function startPython(args: readonly string[]) {
  const script = join(import.meta.dirname, 'training.py');
  const child = spawn('python3', [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async <T>() => {
    const line = await lines.next();
    if (line.done === true) throw new Error('training.py ended');
    return JSON.parse(line.value) as T;
  };
  return {
    begun: next<{ readonly torch: string }>(),
    step: () => {
      child.stdin.write('\n');
      return next<Step>();
    },
    end: () => child.stdin.end(),
  };
}

async function ownSteps(folder: string, rows: readonly number[][]) {
  const recompute = memory === 'recompute';
  const values = { training: { clipNorm: 1, weightDecay: 0, recompute } };
  const { training: settings } = trainingConfig.schema.parse(values);
  const random = createRandom(1);
  const model = await openSource(folder).load({ kind: 'full' }, random);
  const optimizer = new TrainingOptimizer(model.parameters, settings);
  const batch = rows.map((ids, at) => ({
    ids: Int32Array.from(ids),
    isTarget: new Uint8Array(ids.length).fill(1),
    ...{ answer: null, origin: at + 1 },
  }));
  let step = 0;
  return async (): Promise<Step> => {
    const began = performance.now();
    const given = { model, optimizer, settings, learningRate: 1e-4, step, random };
    const { loss } = await trainStep(batch, given);
    step += 1;
    return { seconds: (performance.now() - began) / 1000, loss, peakBytes: peakBytes() };
  };
}

async function compare(folder: string): Promise<void> {
  const random = createRandom(1).fork('ids');
  const rows = Array.from({ length: BATCH }, () =>
    Array.from({ length: LENGTH + 1 }, () => random.integer(CONFIG.vocab_size)),
  );
  const idsFile = join(folder, 'ids.json');
  writeFileSync(idsFile, JSON.stringify(rows));
  // Writing the weights takes memory that training them does not.
  const self = [...process.execArgv, fileURLToPath(import.meta.url), 'write', folder];
  const written = spawnSync(process.execPath, self, { stdio: 'inherit' });
  if (written.status !== 0) throw new Error('the weights could not be written');
  const machineKernels = kernels === 'machine';
  const report = await selectBackend(first as BackendChoice, { machineKernels });
  const python = startPython([folder, idsFile, String(cpus().length)]);
  const { torch } = await python.begun;
  const step = await ownSteps(folder, rows);
  const ours: Step[] = [];
  const theirs: Step[] = [];
  for (let round = 0; round < WARM + ROUNDS; round += 1) {
    ours.push(await step());
    theirs.push(await python.step());
  }
  python.end();
  const of = (steps: readonly Step[]) => {
    const seconds = steps.slice(WARM).map((one) => Number(one.seconds.toFixed(3)));
    return { seconds, median: median(seconds), peakBytes: steps.at(-1)!.peakBytes };
  };
  const [own, other] = [of(ours), of(theirs)];
  const ratio = (a: number, b: number) => Number((a / b).toFixed(3));
  const ratios = {
    time: ratio(own.median, other.median),
    memory: ratio(own.peakBytes, other.peakBytes),
  };
  const farthest = Math.max(...ours.map(({ loss }, at) => Math.abs(loss - theirs[at]!.loss)));
  const { peakHeapBytes } = memoryReport();
  const names = { backend: report.name, kernels, memory };
  console.log(JSON.stringify({ ...names, ratios, farthest, peakHeapBytes, own, other, torch }));
  const isSlow = kernels === 'machine' && memory === 'kept' && ratios.time > GATE;
  if (farthest > 1e-3 || isSlow || ratios.memory > 1) process.exitCode = 1;
}

if (first === 'write') await writeRandomCheckpoint(kernels, CONFIG);
else {
  if (more.length > 0) throw new Error(`not known: ${more.join(' ')}`);
  const folder = mkdtempSync(join(tmpdir(), 'lab-training-'));
  try {
    await compare(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
