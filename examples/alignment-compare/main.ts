// Both methods and the training-free baseline on one pair of graphs, and the page that compares
// them.
import { fileURLToPath } from 'node:url';
import {
  type AlignmentMethod,
  compareMethods,
  exampleSource,
  methodComparisonPage,
  readTask,
  settingsOf,
} from '@lab/alignment';
import { ibmea } from '@lab/ibmea';
import { loginmea } from '@lab/loginmea';
import { writeRunPage } from '@lab/report';
import { selectBackend } from '@lab/tensor';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const contestant = (method: AlignmentMethod, epochs: number, settings = {}) => {
  const every = { 'evaluation.every': epochs };
  const config = settingsOf(method, {
    preset: 'quick',
    epochs,
    settings: { ...settings, ...every },
  });
  return { label: method.title, method, config };
};

await selectBackend('auto');
const quick = { 'training.warmup': 2, 'training.learningRate': 0.02 };
const contestants = [
  contestant(ibmea, 10, quick),
  contestant(loginmea, 5, { 'training.learningRate': 0.01 }),
] as const;
const task = await readTask(exampleSource('en-fr-3k'), contestants[0].config.config);
const cells = await compareMethods({
  ...{ task, contestants, seedShares: [0.3], seeds: [1], dir: here('cells') },
  onProgress: (text) => console.error(text),
});

const page = methodComparisonPage({
  ...{ task, cells, seeds: [1], command: 'pnpm start' },
  conditions: ['IBMEA: 10 epochs', 'LoginMEA: 5 epochs'],
  warnings: ['A few epochs, so that the example is quick: not the quality of either method.'],
});
writeRunPage(here('comparison.html'), page);
const found = cells.map(({ label, row }) => [label, row.mean['H@1']!]);
console.log(JSON.stringify(Object.fromEntries(found)));
