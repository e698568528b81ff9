// Time and memory at scale on SYNTHETIC pairs: node --conditions=@lab/source --import tsx
// packages/loginmea/bench/scale.ts ENTITIES [EPOCHS]. Trains in blocks, ranks the test pairs beside
// the baseline, and searches candidates for every entity without a seed. Prints one JSON line and
// fails when the backend held more than 1.5 GB.
import { candidateTable, settingsOf } from '@lab/alignment';
import { createRandom } from '@lab/core';
import { splitLinks, syntheticPair } from '@lab/graph';
import { memoryReport, resetAllocationRecord, selectBackend } from '@lab/tensor';
import { loginmea, train } from '../src/index.js';

const MOST_BYTES = 1.5e9;
const [entities = 100_000, epochs = 3] = process.argv.slice(2).map(Number);
const seconds = () => performance.now() / 1000;

await selectBackend('wasm');
const data = syntheticPair({ entities, random: createRandom(1).fork('scale'), deletedShare: 0.2 });
const split = await splitLinks(data, { share: 0.3 });
const settings = { 'training.layout': 'blocks', 'evaluation.every': epochs };
const config = settingsOf(loginmea, { preset: 'dbp15k', seed: 1, epochs, settings });
resetAllocationRecord();
const epochSeconds: number[] = [];
const began = seconds();
const { state, metrics, baseline } = await train({
  data: { data, split },
  config,
  onProgress: (progress) => {
    if (progress.stage !== 'epoch') return;
    epochSeconds.push(progress.seconds);
    console.error(`epoch ${progress.record.epoch + 1} ${progress.seconds.toFixed(1)} s`);
  },
});
const trained = seconds();
const table = await candidateTable(state);
const aligned = seconds();
const { peakHeapBytes } = memoryReport();
state.dispose();
const result = {
  entities,
  epochs,
  epochSeconds: Math.min(...epochSeconds),
  trainSeconds: trained - began,
  searchSeconds: aligned - trained,
  sources: table.sources.length,
  peakHeapBytes,
  peakProcessBytes: process.resourceUsage().maxRSS * 1024,
  'H@1': metrics?.forward['hits@1'],
  'baseline H@1': baseline?.forward['hits@1'],
};
console.log(JSON.stringify(result));
if ((peakHeapBytes ?? Number.POSITIVE_INFINITY) > MOST_BYTES) process.exitCode = 1;
