// Time and memory of a pass with the weights on the backend, in memory or in the files, beside what
// estimateRun foresaw:
//   node --conditions=@lab/source --import tsx bench/residency.ts [SHAPE ...] [--backend NAME]
// Shapes: bench/shapes.ts, of random bf16 weights made on the spot and deleted; default the two
// that fit one heap, and llama3-8b: whole where 20 GB of disk are free, else of fewer blocks, with
// a quarter of its size as budget. Each pass is a process of its own: 8 texts x 128 tokens with all
// logits, 64 tokens of llama3-8b. Prints one JSON line, and fails where an estimate is more than
// 30 % off, where llama3-8b takes its budget (4 GiB) or more, or where its streamed pass takes more
// than 1.2 times max(reading, computing). What is foreseen before and after a run must agree, else
// the run is made again. Run it on an idle machine.
import { mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createRandom } from '@lab/core';
// @boundaries-ignore a process of its own for each pass, as in the tests
import { runProcess } from '@lab/core/testing';
import { type BackendChoice, selectBackend, tf } from '@lab/tensor';
import {
  estimateRun,
  hiddenStates,
  loadModel,
  type Residency,
  writeRandomCheckpoint,
} from '../src/index.js';
import { type ShapeName, SHAPES } from './shapes.js';

const LARGE = 'llama3-8b';
const MOST_OFF = 0.3;
const MOST_WALL = 1.2;
const MOST_BYTES = 4 * 2 ** 30;
/** Disk that the large shape needs whole, and what is left free beside fewer blocks of it. */
const WHOLE_DISK_BYTES = 20e9;
const SPARE_DISK_BYTES = 2e9;
/** Most that two estimates of one thing may differ, and how often that is tried. */
const MOST_CHANGE = 1.2;
const ATTEMPTS = 6;
const BATCH = 8;
const lengthOf = (shape: string) => (shape === LARGE ? 64 : 128);

const { values: flags, positionals } = parseArgs({
  options: { backend: { type: 'string', default: 'wasm' }, part: { type: 'string' } },
  allowPositionals: true,
});
const now = () => performance.now() / 1000;
/** Most memory of this program; `maxRSS` would count that of the process it was started from. */
const peakBytes = () =>
  1024 * Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]);

function idsOf(shape: ShapeName): Int32Array[] {
  const random = createRandom(1).fork('ids');
  const draw = () => random.integer(SHAPES[shape].vocab_size);
  return Array.from({ length: BATCH }, () => Int32Array.from({ length: lengthOf(shape) }, draw));
}

/** What a run is foreseen to take. */
async function foreseen(shape: ShapeName, folder: string, residency: Residency) {
  const batches = [{ batchSize: BATCH, length: lengthOf(shape) }];
  const began = now();
  const {
    loadSeconds,
    runSeconds,
    peakBytes: bytes,
  } = await estimateRun(folder, {
    residency,
    batches,
  });
  return { loadSeconds, runSeconds, bytes, estimateSeconds: now() - began };
}

/** What it takes. */
async function measured(shape: ShapeName, folder: string, residency: Residency) {
  const before = peakBytes();
  const began = now();
  const model = await loadModel(folder, { residency });
  const loaded = now();
  for await (const { data } of hiddenStates(model, [{ ids: idsOf(shape) }], { logits: true })) {
    if (!Number.isFinite(data[0]!)) throw new Error('a hidden state is not finite');
  }
  const ended = now();
  const bytes = peakBytes();
  const times = { loadSeconds: loaded - began, runSeconds: ended - loaded };
  const parts = residency === 'streamed' ? await apart(shape, model) : {};
  model.dispose();
  return { ...times, bytes: bytes - before, processBytes: bytes, ...parts };
}

/** Reading all weights with hardly anything to compute, and computing without reading. */
async function apart(shape: ShapeName, model: Awaited<ReturnType<typeof loadModel>>) {
  const { layerCount, width } = model.architecture;
  const began = now();
  for await (const { data } of hiddenStates(model, [{ ids: [[1]] }], { logits: true })) {
    if (!Number.isFinite(data[0]!)) throw new Error('a hidden state is not finite');
  }
  const readSeconds = now() - began;
  const ids = idsOf(shape);
  const residual = tf.randomNormal<tf.Rank.R3>([BATCH, lengthOf(shape), width]);
  const block = async () => {
    const start = now();
    const given = { ids, residual, startBlock: 0, stopBlock: 1, logits: 'none' } as const;
    const result = await model.forward(given);
    await result.residual.data();
    result.dispose();
    return now() - start;
  };
  await block();
  const times = [await block(), await block(), await block()].toSorted((a, b) => a - b);
  const start = now();
  const output = await model.forward({ ids, residual, startBlock: layerCount });
  await output.logits!.data();
  output.dispose();
  residual.dispose();
  return { readSeconds, computeSeconds: layerCount * times[1]! + (now() - start) };
}

type Row = Record<string, number>;

async function part(name: string, [shape, folder, residency]: string[]): Promise<Row> {
  const script = fileURLToPath(import.meta.url);
  const args = ['--conditions=@lab/source', '--import', 'tsx', script, '--part', name];
  const all = [...args, '--backend', flags.backend, shape!, folder!, residency!];
  const { code, stdout, stderr } = await runProcess(process.execPath, all);
  if (code !== 0) throw new Error(`${name} of ${shape}, ${residency}: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Row;
}

const rounded = (value: number) => Number(value.toFixed(3));

const seconds = (row: Row) => row['loadSeconds']! + row['runSeconds']!;

/**
 * What is foreseen before and after a run, and the run between them: again where the two differ,
 * as nothing can be said of a machine whose speed changes meanwhile.
 */
async function betweenEstimates(names: string[]) {
  for (let attempt = 1; ; attempt += 1) {
    const before = await part('foreseen', names);
    const found = await part('measured', names);
    const after = await part('foreseen', names);
    const change =
      Math.max(seconds(before), seconds(after)) / Math.min(seconds(before), seconds(after));
    if (change <= MOST_CHANGE) return { expected: before, after, found, attempt };
    console.error(`the machine's speed changed ${change.toFixed(2)} times, attempt ${attempt}`);
    if (attempt === ATTEMPTS) throw new Error('the machine is not steady enough to measure');
  }
}

/** Bytes of the large shape with so many blocks, in bf16. */
function largeBytes(blocks: number): number {
  const {
    hidden_size: width,
    intermediate_size: inner,
    vocab_size: tokens,
    ...heads
  } = SHAPES[LARGE];
  const groups = heads.num_key_value_heads / heads.num_attention_heads;
  const block = 2 * width * width * (1 + groups) + 3 * width * inner;
  return 2 * (blocks * block + 2 * tokens * width);
}

/** Blocks of the large shape for which there is disk, and the memory that a pass may take. */
function largeShape(freeBytes: number): { readonly blocks: number; readonly budget: number } {
  const whole = SHAPES[LARGE].num_hidden_layers;
  if (freeBytes >= WHOLE_DISK_BYTES) return { blocks: whole, budget: MOST_BYTES };
  let blocks = whole;
  while (blocks > 0 && largeBytes(blocks) > freeBytes - SPARE_DISK_BYTES) blocks -= 1;
  return { blocks, budget: Math.min(MOST_BYTES, largeBytes(blocks) / 4) };
}

/** One shape at one residency: foreseen, measured, and what is wrong. */
async function compared(shape: ShapeName, folder: string, residency: Residency, budget: number) {
  const { expected, after, found, attempt } = await betweenEstimates([shape, folder, residency]);
  const row: Row = {
    time: rounded((seconds(expected) + seconds(after)) / 2 / seconds(found)),
    memory: rounded(expected['bytes']! / found['bytes']!),
    attempt,
  };
  const { readSeconds, computeSeconds } = found;
  if (readSeconds !== undefined) {
    row['wall'] = rounded(found['runSeconds']! / Math.max(readSeconds, computeSeconds!));
  }
  const isOff = Math.abs(row['time']! - 1) > MOST_OFF || Math.abs(row['memory']! - 1) > MOST_OFF;
  const isLarge = shape === LARGE;
  const isTooMuch = isLarge && (row['wall']! > MOST_WALL || found['processBytes']! >= budget);
  const limits = isLarge ? { budget } : {};
  const result = { shape, residency, ...limits, ...row, foreseen: expected, measured: found };
  console.error(JSON.stringify(result));
  return { ...result, passed: !isOff && !isTooMuch };
}

if (flags.part !== undefined) {
  await selectBackend(flags.backend as BackendChoice);
  const [shape, folder, residency] = positionals as [ShapeName, string, Residency];
  const run = flags.part === 'foreseen' ? foreseen : measured;
  console.log(JSON.stringify(await run(shape, folder, residency)));
} else {
  const { bavail, bsize } = statfsSync(tmpdir());
  const { blocks, budget } = largeShape(bavail * bsize);
  const all = (Object.keys(SHAPES) as ShapeName[]).filter((shape) => shape !== LARGE || blocks > 0);
  const rows: Awaited<ReturnType<typeof compared>>[] = [];
  for (const shape of positionals.length > 0 ? (positionals as ShapeName[]) : all) {
    const folder = mkdtempSync(join(tmpdir(), 'lab-residency-'));
    try {
      await selectBackend('wasm');
      const size = shape === LARGE ? { num_hidden_layers: blocks } : {};
      await writeRandomCheckpoint(folder, { ...SHAPES[shape], ...size }, { dtype: 'bfloat16' });
      const places = shape === LARGE ? ['streamed'] : ['resident', 'host', 'streamed'];
      for (const place of places) {
        rows.push(await compared(shape, folder, place as Residency, budget));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  const named = rows.map(({ shape, residency, ...row }) => [`${shape}, ${residency}`, row]);
  console.log(JSON.stringify(Object.fromEntries(named)));
  if (rows.some(({ passed }) => !passed)) process.exitCode = 1;
}
