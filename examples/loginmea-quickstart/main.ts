// The library call behind `loginmea train`, on the pair of graphs that is shipped.
import { exampleSource, train } from '@lab/loginmea';

const { metrics, baseline, state } = await train({
  data: exampleSource('en-fr-3k'),
  preset: 'quick',
  settings: { 'training.learningRate': 0.01 },
  epochs: 8,
  seed: 1,
  onProgress: (progress) => {
    if (progress.stage !== 'epoch') return;
    const { epoch, loss } = progress.record;
    console.error(`epoch ${epoch}  loss ${loss.toFixed(3)}`);
  },
});
state.dispose();
console.log(JSON.stringify({ metrics, baseline }));
