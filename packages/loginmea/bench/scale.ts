// Time and memory at scale on SYNTHETIC pairs: node --conditions=@lab/source --import tsx
// packages/loginmea/bench/scale.ts ENTITIES [EPOCHS] [SIZE]. Trains in blocks into a run folder,
// ranks the test pairs beside the baseline, searches candidates for every entity without a seed and
// compares a sample of them with the exact ones. A run that was stopped goes on. Prints one JSON
// line and fails when the backend held more than 1.5 GB, or the index found too little.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { alignEntities, candidateTable, conclude, settingsOf, writePairs } from '@lab/alignment';
import { createRandom } from '@lab/core';
import { splitLinks, syntheticPair } from '@lab/graph';
import {
  HostRows,
  memoryReport,
  nearestPairs,
  openHostTable,
  resetAllocationRecord,
  selectBackend,
} from '@lab/tensor';
import { readSafetensors } from '@lab/tensor/io';
import { loginmea, train } from '../src/index.js';

const MOST_BYTES = 1.5e9;
const LEAST_RECALL = 0.95;
const [entities = 100_000, epochs = 3, size = 100] = process.argv.slice(2).map(Number);
const seconds = () => performance.now() / 1000;

const backend = await selectBackend('wasm');
const data = syntheticPair({ entities, random: createRandom(1).fork('scale'), deletedShare: 0.2 });
const split = await splitLinks(data, { share: 0.3 });
const settings = {
  ...{ 'training.layout': 'blocks', 'model.size': size, 'training.checkpointSeconds': 20 },
  // From a million entities a side on the search alone is timed: ranking would do it once more.
  ...{ 'evaluation.every': epochs, 'evaluation.enabled': entities < 1_000_000 },
};
const config = settingsOf(loginmea, { preset: 'large', seed: 1, epochs, settings });
const dir = join('runs', 'long', `loginmea-scale-${entities}-${size}`);
const loaded = process.resourceUsage().maxRSS * 1024;
resetAllocationRecord();
const epochSeconds: number[] = [];
const began = seconds();
const trained = await train({
  data: { data, split },
  config,
  run: existsSync(join(dir, 'run.json'))
    ? { resume: dir }
    : { parent: join('runs', 'long'), dir, label: 'scale', command: process.argv, backend },
  onProgress: (progress) => {
    if (progress.stage !== 'epoch') return;
    epochSeconds.push(progress.seconds);
    console.error(`epoch ${progress.record.epoch + 1} ${progress.seconds.toFixed(1)} s`);
  },
});
const { state, metrics, baseline } = trained;
const ended = seconds();
const folder = join(dir, 'search');
const table = await candidateTable(state, {
  folder,
  onProgress: ({ done, total }) => console.error(`searched ${done} of ${total}`),
});
const searched = seconds();
const concluded = await conclude(loginmea, trained, { config, seconds: ended - began });
const pairs = alignEntities(table, null);
await writePairs(join(dir, 'pairs.csv'), pairs, data);
const recall = await sampledRecall();
const { peakHeapBytes } = memoryReport();
state.dispose();
const result = {
  ...{ entities, epochs, size },
  epochSeconds: epochSeconds.length === 0 ? null : Math.min(...epochSeconds),
  trainSeconds: ended - began,
  searchSeconds: searched - ended,
  ...{ sources: table.sources.length, pairs: pairs.length, recall },
  loadedBytes: loaded,
  peakHeapBytes,
  peakProcessBytes: process.resourceUsage().maxRSS * 1024,
  'H@1': metrics?.forward['hits@1'],
  'H@10': metrics?.forward['hits@10'],
  'baseline H@1': baseline?.forward['hits@1'],
  confidence: concluded.summary.confidence?.auroc ?? null,
};
console.log(JSON.stringify(result));
const isTooLarge = (peakHeapBytes ?? Number.POSITIVE_INFINITY) > MOST_BYTES;
if (isTooLarge || (recall !== null && recall < LEAST_RECALL)) process.exitCode = 1;

/** Share of the ten nearest of 1,000 entities that are among the candidates; null without index. */
async function sampledRecall(): Promise<number | null> {
  const left = await openHostTable(join(folder, 'left'));
  const right = await openHostTable(join(folder, 'right'));
  if (left === null || right === null) return null;
  const stride = Math.floor(left.rowCount / 1000);
  const asked = Int32Array.from({ length: 1000 }, (_, at) => at * stride);
  const rows = new Float32Array(asked.length * left.columnCount);
  left.copyRows(asked, rows);
  const sample = new HostRows(asked.length, left.columnCount, rows);
  const exact = await nearestPairs({ left: sample, right, k: 10 });
  const width = right.rowCount > 2 ** 19 ? 64 : 32; // as the search takes them
  const batches = new Map<number, Int32Array>();
  let found = 0;
  for (const [at, row] of asked.entries()) {
    const batch = Math.floor(row / 16_384);
    if (!batches.has(batch)) {
      const name = `forward-${String(batch).padStart(4, '0')}.safetensors`;
      const { indices } = (await readSafetensors(join(folder, name))).tensors;
      batches.set(batch, indices!.data as Int32Array);
    }
    const own = (row % 16_384) * width;
    const candidates = new Set(batches.get(batch)!.subarray(own, own + width));
    for (let rank = 0; rank < 10; rank += 1) {
      if (candidates.has(exact.indices[at * 10 + rank]!)) found += 1;
    }
  }
  return found / (10 * asked.length);
}
