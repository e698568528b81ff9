// The library call behind `ibmea train`, on the pair of graphs that is shipped with the package.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { train } from '@lab/ibmea';

const packageFolder = dirname(fileURLToPath(import.meta.resolve('@lab/ibmea/package.json')));
const folder = join(packageFolder, 'data', 'en-fr-3k');

const { metrics, baseline, state } = await train({
  data: { dir: folder, seedsFile: join(folder, 'seeds.tsv') },
  settings: { 'training.warmup': 2, 'training.learningRate': 0.02 },
  epochs: 12,
  seed: 1,
  onProgress: (progress) => {
    if (progress.stage !== 'epoch') return;
    const { epoch, loss } = progress.record;
    console.error(`epoch ${epoch}  loss ${loss.toFixed(3)}`);
  },
});
state.dispose();
console.log(JSON.stringify({ metrics, baseline }));
