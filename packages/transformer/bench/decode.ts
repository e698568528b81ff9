// Decoding of 32 tokens after a prompt of 16, alone and 8 texts together, beside transformers on
// PyTorch in float32, in one run, in turns:
//   node --conditions=@lab/source --import tsx bench/decode.ts [SHAPE] [BACKEND] [KERNELS]
// SHAPE is gpt2-small or qwen2.5-0.5b, of random bf16 weights made on the spot; KERNELS is machine
// or, for wasm without machine code, portable. The tokens are given, so that both read the same.
// Needs python3 with torch and transformers. Prints one JSON line, and fails below the gates: 1.2
// times PyTorch's speed with machine code, 0.8 times without. Run it on an idle machine.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createRandom } from '@lab/core';
import { type BackendChoice, selectBackend } from '@lab/tensor';
import { RowCache } from '../src/generation/row-cache.js';
import { runSegments } from '../src/generation/segment.js';
import { HookRunner } from '../src/hooks.js';
import { loadModel, type Model, writeRandomCheckpoint } from '../src/index.js';
import { type ShapeName, SHAPES } from './shapes.js';

const ROUNDS = 5;
const [PROMPT, LENGTH, TEXTS] = [16, 48, 8];
const GATES = { machine: 1.2, portable: 0.8 } as const;

const shape = (process.argv[2] ?? 'qwen2.5-0.5b') as ShapeName;
const backend = (process.argv[3] ?? 'auto') as BackendChoice;
const kernels = (process.argv[4] ?? 'machine') as keyof typeof GATES;
const config = SHAPES[shape];
const folder = mkdtempSync(join(tmpdir(), 'lab-decode-'));
const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Texts that go on together. */
class Texts {
  private readonly caches: readonly RowCache[];

  constructor(
    private readonly model: Model,
    private readonly ids: readonly (readonly number[])[],
  ) {
    this.caches = ids.map(() => new RowCache());
  }

  /** Logits `[V]` of each text after so many more of its tokens. */
  read(count: number): Promise<Float32Array[]> {
    const segments = this.ids.map((ids, text) => {
      const cache = this.caches[text]!;
      const [start, length] = [cache.length, cache.length + count];
      const own = Int32Array.from(ids.slice(start, length));
      return { ids: own, start, length, cache, hooks: new HookRunner([]), isWanted: true };
    });
    return runSegments(this.model, segments, () => false);
  }

  dispose(): void {
    for (const cache of this.caches) cache.clear();
  }
}

interface Round {
  readonly prompt: number;
  readonly decode: number;
  readonly sample: readonly number[];
}

async function ownRound(model: Model, ids: readonly (readonly number[])[]): Promise<Round> {
  const texts = new Texts(model, ids);
  const begin = performance.now();
  let logits = await texts.read(PROMPT);
  const first = performance.now();
  for (let step = PROMPT; step < LENGTH; step += 1) logits = await texts.read(1);
  const end = performance.now();
  texts.dispose();
  const sample = logits.flatMap((values) => [...values.subarray(0, 1000)]);
  return { prompt: (first - begin) / 1000, decode: (end - first) / 1000, sample };
}

try {
  await writeRandomCheckpoint(folder, config, { dtype: 'bfloat16' });
  const random = createRandom(1).fork('ids');
  const ids = Array.from({ length: TEXTS }, () =>
    Array.from({ length: LENGTH }, () => random.integer(config.vocab_size)),
  );
  const idsFile = join(folder, 'ids.json');
  writeFileSync(idsFile, JSON.stringify(ids));
  const report = await selectBackend(backend, { machineKernels: kernels === 'machine' });
  const model = await loadModel(folder);
  const script = join(import.meta.dirname, 'decode.py');
  const args = [script, folder, idsFile, String(PROMPT), String(cpus().length)];
  const python = spawn('python3', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  const answer = async () => JSON.parse((await lines.next()).value as string) as unknown;
  const { torch } = (await answer()) as { torch: string };
  const results: Record<string, object> = {};
  let farthest = 0;
  let isSlow = false;
  for (const texts of [1, TEXTS]) {
    const [ours, theirs]: [Round[], Round[]] = [[], []];
    for (let round = 0; round <= ROUNDS; round += 1) {
      ours.push(await ownRound(model, ids.slice(0, texts)));
      python.stdin.write(`${texts}\n`);
      theirs.push((await answer()) as Round);
    }
    for (const [at, value] of ours[0]!.sample.entries()) {
      farthest = Math.max(farthest, Math.abs(value - theirs[0]!.sample[at]!));
    }
    const rate = (rounds: readonly Round[]) =>
      (texts * (LENGTH - PROMPT)) / median(rounds.slice(1).map(({ decode }) => decode));
    const prompt = (rounds: readonly Round[]) => median(rounds.slice(1).map((one) => one.prompt));
    const speed = rate(ours) / rate(theirs);
    const shown = (value: number) => Number(value.toPrecision(3));
    results[`texts${texts}`] = {
      ...{ speed: shown(speed), tokensPerSecond: shown(rate(ours)), pytorch: shown(rate(theirs)) },
      promptSpeed: shown(prompt(theirs) / prompt(ours)),
    };
    if (texts === 1 && speed < GATES[kernels]) isSlow = true;
  }
  python.stdin.end();
  model.dispose();
  const names = { shape, backend: report.name, simd: report.simd, threads: report.threads };
  console.log(JSON.stringify({ ...names, ...results, farthest, torch }));
  if (!(farthest < 1e-3) || isSlow) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
