// The library call behind `ibmea train`, on the pair of graphs that is shipped.
import { exampleSource, train } from '@lab/ibmea';

const { metrics, baseline, state } = await train({
  data: exampleSource('en-fr-3k'),
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
