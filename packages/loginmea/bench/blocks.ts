// A training in blocks beside one on the whole graph, EN-FR 15K, ten epochs, the same seed:
// LAB_DATA=DIR node --conditions=@lab/source --import tsx packages/loginmea/bench/blocks.ts
// Prints one JSON line, and fails where Hits@1 differ by more than half a point.
import { settingsOf, train } from '@lab/alignment';
import { memoryReport, resetAllocationRecord, selectBackend } from '@lab/tensor';
// @boundaries-ignore both methods find the full data alike
import { fullData } from '../../alignment/bench/quality/quality-set.js';
import { loginmea } from '../src/index.js';

const MOST_APART = 0.005;
const EPOCHS = 10;

await selectBackend('wasm');
const rows = [];
for (const layout of ['blocks', 'whole'] as const) {
  const settings = { 'training.layout': layout, 'evaluation.every': EPOCHS };
  const config = settingsOf(loginmea, {
    ...{ preset: 'dbp15k', seed: 1, epochs: EPOCHS },
    settings: { ...settings, 'evaluation.baseline': false },
  });
  resetAllocationRecord();
  const seconds: number[] = [];
  const { state, metrics } = await train(loginmea, {
    data: fullData('srprs15k/en_fr_15k_V1'),
    config,
    onProgress: (progress) => {
      if (progress.stage === 'epoch') seconds.push(progress.seconds);
    },
  });
  state.dispose();
  const { forward } = metrics!;
  rows.push({
    ...{ layout, 'H@1': forward['hits@1']!, 'H@10': forward['hits@10']!, MRR: forward.mrr },
    epochSeconds: seconds.toSorted((a, b) => a - b)[Math.floor(EPOCHS / 2)],
    peakHeapBytes: memoryReport().peakHeapBytes,
  });
  console.error(JSON.stringify(rows.at(-1)));
}
const apart = Math.abs(rows[0]!['H@1'] - rows[1]!['H@1']);
console.log(JSON.stringify({ rows, apart }));
if (apart > MOST_APART) process.exitCode = 1;
