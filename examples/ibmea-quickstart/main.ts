// The library call behind `ibmea train`, on the pair of graphs that is shipped with the package.
import { fileURLToPath } from 'node:url';
import { train } from '@lab/ibmea';

const data = fileURLToPath(new URL('data/en-fr-3k/', import.meta.resolve('@lab/ibmea/package.json')));

const { metrics, baseline, state } = await train({
  data: { dir: data, seedsFile: `${data}seeds.tsv` },
  preset: 'dbp15k',
  seed: 1,
  epochs: 15,
  settings: { 'training.warmup': 3 },
  onProgress: (progress) => {
    if (progress.stage !== 'epoch') return;
    const { epoch, loss } = progress.record;
    console.error(`epoch ${epoch}  loss ${loss.toFixed(3)}`);
  },
});
state.dispose();
console.log(JSON.stringify({ metrics, baseline }));
