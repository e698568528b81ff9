// One model, two views: heads that move a refusal when they go (Ships), and states from which a
// refusal can be read (probes).
import { fileURLToPath } from 'node:url';
import { table } from '@lab/core/cli';
import { linePlot, writeRunPage } from '@lab/report';
import { headKey, rankHeads } from '@lab/sahara';
import { scoreMap } from '@lab/sahara/figures';
import { exampleModel } from '@lab/transformer';
import { headScores, probedStates } from './views.js';

const folder = exampleModel('organism');
const scores = await headScores(folder);
const { accuracies, texts } = await probedStates(folder);

// Share of the summed head scores that lies before a state; state 0 is the embedding.
const sums = scores.map((row) => row.reduce<number>((sum, score) => sum + (score ?? 0), 0));
const whole = sums.reduce((a, b) => a + b, 0);
let before = 0;
const shares = [0, ...sums.map((sum) => (before += sum / whole))];
const rows = accuracies.map(({ state, accuracy }) => ({ state, accuracy, heads: shares[state]! }));
console.error(
  table(
    rows.map(({ state, accuracy, heads }) => ({
      ...{
        state,
        'probe accuracy': accuracy.toFixed(3),
        'head scores before it': heads.toFixed(3),
      },
    })),
  ),
);

const figure = linePlot({
  title: 'Where refusal comes about',
  x: { label: 'state (0: embedding, l: behind layer l - 1)' },
  y: { label: 'share', format: 'share', domain: [0, 1] },
  series: [
    { name: 'probe', points: rows.map(({ state, accuracy }) => ({ x: state, y: accuracy })) },
    { name: 'head scores', points: rows.map(({ state, heads }) => ({ x: state, y: heads })) },
  ],
  references: [{ y: texts, label: 'the words alone' }],
});
const best = rows.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
const [first] = rankHeads(scores);
const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
writeRunPage(fileURLToPath(new URL('two-views.html', import.meta.url)), {
  title: 'One model, two views',
  eyebrow: 'organism, a small model of our own that refuses harmless requests by a rule',
  sentence:
    `A refusal can be read at state ${best.state} in ${percent(best.accuracy)} of requests, ` +
    `where the words alone tell ${percent(texts)}; head ${headKey(first!)} moves it most.`,
  numbers: [
    {
      label: 'Probe, best state',
      value: best.accuracy,
      reference: `words alone ${percent(texts)}`,
    },
    { label: 'First head', value: headKey(first!), interval: `${first!.score.toFixed(2)} nats` },
  ],
  mainFigure: {
    figure,
    caption:
      'Accuracy of a linear machine on each state, and the share of all head scores that lies ' +
      'before it. What is read early becomes a refusal in the heads behind it.',
  },
  sections: [
    {
      heading: 'Heads',
      figures: [scoreMap({ kind: 'ships', unit: 'nats', scores })],
    },
  ],
  ...{ cost: [], settings: [], files: [], warnings: [], command: 'pnpm start' },
});
console.log(JSON.stringify({ rows, texts, first: headKey(first!) }));
