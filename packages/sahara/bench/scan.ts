// Every head of a model scored on one prompt of 32 tokens, exactly and screened, beside
// transformers on PyTorch in float32, in one run:
//   node --conditions=@lab/source --import tsx bench/scan.ts [SHAPE] [BACKEND]
// SHAPE is gpt2-small or qwen2.5-0.5b, of random weights made on the spot. Screening is timed at
// two shares of heads with exact scores: at .25 bench/recall.ts finds .8 of the five best heads on
// each of the example models, at .15 on average of them. Needs python3 with torch and transformers.
// Prints one JSON line, and fails below the gates: on tensorflow 2.5 times as fast as a pass for
// every head, screened at the first share 15 times; scores must be those of PyTorch. Run it on an
// idle machine.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { type BackendChoice, selectBackend } from '@lab/tensor';
import { loadModel, writeRandomCheckpoint } from '@lab/transformer';
import { headKey, rankHeads } from '../src/head.js';
import { scanOperations } from '../src/plan.js';
import { screenedShips } from '../src/screened-scan.js';
import { ships } from '../src/ships.js';

const LENGTH = 32;
const ROUNDS = 3;
const GATES = { exact: 2.5, screened: 15 } as const;

const SHAPES = {
  'gpt2-small': {
    ...{ model_type: 'gpt2', vocab_size: 50_257, n_positions: 1024, n_embd: 768, n_layer: 12 },
    ...{ n_head: 12, architectures: ['GPT2LMHeadModel'] },
  },
  'qwen2.5-0.5b': {
    ...{ model_type: 'qwen2', vocab_size: 151_936, hidden_size: 896, intermediate_size: 4864 },
    ...{ num_hidden_layers: 24, num_attention_heads: 14, num_key_value_heads: 2 },
    ...{ tie_word_embeddings: true, rms_norm_eps: 1e-6, rope_theta: 1_000_000 },
    max_position_embeddings: 32_768,
    ...{ architectures: ['Qwen2ForCausalLM'] },
  },
} as const;

const shape = (process.argv[2] ?? 'gpt2-small') as keyof typeof SHAPES;
const backend = (process.argv[3] ?? 'auto') as BackendChoice;
const SHARES = [0.25, 0.15] as const;
const config = SHAPES[shape];
const folder = mkdtempSync(join(tmpdir(), 'lab-scan-'));
const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function timed<T>(work: () => Promise<T>): Promise<{ seconds: number; result: T }> {
  const start = performance.now();
  const result = await work();
  return { seconds: (performance.now() - start) / 1000, result };
}

interface Theirs {
  readonly naive: number;
  readonly batch: number;
  readonly scores: number[][];
  readonly torch: string;
}

function pytorch(ids: readonly number[]): Theirs {
  const idsFile = join(folder, 'ids.json');
  writeFileSync(idsFile, JSON.stringify({ ids }));
  const script = join(import.meta.dirname, 'scan.py');
  const python = spawnSync('python3', [script, folder, idsFile, String(cpus().length)], {
    ...{ encoding: 'utf8', maxBuffer: 1 << 26 },
  });
  if (python.status !== 0) throw new Error(`scan.py failed: ${python.stderr.slice(-800)}`);
  return JSON.parse(python.stdout.trim().split('\n').at(-1)!) as Theirs;
}

const rounded = (value: number, digits = 3) => Number(value.toPrecision(digits));

try {
  await writeRandomCheckpoint(folder, config);
  const random = createRandom(1).fork('ids');
  const ids = Array.from({ length: LENGTH }, () => random.integer(config.vocab_size));
  const theirs = pytorch(ids);
  const report = await selectBackend(backend);
  const model = await loadModel(folder, { validate: 'off' });
  await ships(model, ids, { heads: [{ layer: 0, head: 0 }] });
  const exact: number[] = [];
  const screened = SHARES.map((share) => ({ share, seconds: [] as number[], heads: [''] }));
  let scores: (number | null)[][] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const own = await timed(() => ships(model, ids));
    exact.push(own.seconds);
    scores = own.result.scores;
    for (const one of screened) {
      const other = await timed(() => screenedShips(model, ids, { share: one.share }));
      one.seconds.push(other.seconds);
      one.heads = other.result.exact.map(headKey);
    }
  }
  const ranked = rankHeads(theirs.scores);
  const farthest = ranked
    .filter(({ score }) => score > 1e-3)
    .reduce(
      (most, { layer, head, score }) => Math.max(most, Math.abs(scores[layer]![head]! / score - 1)),
      0,
    );
  const top = (rows: readonly (readonly (number | null)[])[]) => rankHeads(rows, 20).map(headKey);
  const isSameTop = top(scores).join() === top(theirs.scores).join();
  const { operations, naiveOperations } = scanOperations(model.architecture, {
    ...{ promptTokens: [LENGTH], ablation: { kind: 'uniform' }, hasLogits: true },
  });
  model.dispose();
  const best = top(scores).slice(0, 5);
  const shares = screened.map(({ share, seconds, heads }) => ({
    ...{ share, seconds: rounded(median(seconds)) },
    faster: rounded(theirs.naive / median(seconds)),
    recall: best.filter((one) => heads.includes(one)).length / best.length,
  }));
  const faster = {
    exact: rounded(theirs.naive / median(exact)),
    exactThanBatch: rounded(theirs.batch / median(exact)),
  };
  console.log(
    JSON.stringify({
      ...{ shape, backend: report.name, heads: ranked.length, seconds: rounded(median(exact)) },
      ...{ faster, screened: shares },
      pytorch: { naive: rounded(theirs.naive), batch: rounded(theirs.batch), torch: theirs.torch },
      teraflop: { scan: rounded(operations / 1e12), naive: rounded(naiveOperations / 1e12) },
      gigaflops: {
        scan: rounded(operations / median(exact) / 1e9),
        naive: rounded(naiveOperations / theirs.naive / 1e9),
      },
      medianScore: rounded(ranked[Math.floor(ranked.length / 2)]!.score),
      ...{ farthest: rounded(farthest), isSameTop },
    }),
  );
  const isNative = report.name === 'tensorflow';
  const isSlow = faster.exact < GATES.exact || shares[0]!.faster < GATES.screened;
  if (farthest > 1e-3 || !isSameTop || (isNative && isSlow)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
