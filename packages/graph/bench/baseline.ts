// pnpm exec tsx --conditions=@lab/source bench/baseline.ts FOLDER...: the training-free baseline on
// folders in the field's layout, 30 % seeds by SHA-256, CSLS k = 3, one JSON line each.
import { rankPairs, scope, selectBackend, tf } from '@lab/tensor';
import {
  type AlignmentData,
  type LinkSplit,
  propagateSeeds,
  readAlignmentFolder,
  splitLinks,
} from '../src/index.js';

function measures(ranks: Float64Array): Record<string, number> {
  const share = (limit: number): number =>
    ranks.filter((rank) => rank <= limit).length / ranks.length;
  const mrr = ranks.reduce((sum, rank) => sum + 1 / rank, 0) / ranks.length;
  const rounded = Object.entries({ 'hits@1': share(1), 'hits@10': share(10), mrr });
  return Object.fromEntries(rounded.map(([name, value]) => [name, Math.round(value * 1e4) / 1e4]));
}

async function measure(
  data: AlignmentData,
  split: LinkSplit,
  attributes: boolean,
): Promise<Record<string, unknown>> {
  const start = process.cpuUsage();
  const { dimension, left, right } = await propagateSeeds(data, split, { attributes });
  const used = process.cpuUsage(start);
  const count = split.test.length / 2;
  return scope(async () => {
    const ranks = await rankPairs({
      left: tf.tensor2d(left, [count, dimension]),
      right: tf.tensor2d(right, [count, dimension]),
      gold: Int32Array.from({ length: count }, (_, i) => i),
      k: 3,
      csls: true,
    });
    const cpuSeconds = (used.user + used.system) / 1e6;
    const forward = measures(ranks.forwardRanks);
    const backward = measures(ranks.backwardRanks);
    return { data: data.name, attributes, test: count, dimension, cpuSeconds, forward, backward };
  });
}

await selectBackend('wasm');
for (const folder of process.argv.slice(2)) {
  const data = await readAlignmentFolder(folder);
  const split = await splitLinks(data, { share: 0.3 });
  for (const attributes of [false, true]) {
    console.log(JSON.stringify(await measure(data, split, attributes)));
  }
}
