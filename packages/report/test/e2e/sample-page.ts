import { createRandom } from '@lab/core';
import { expectedCalibrationError } from '@lab/metrics';
import {
  barPlot,
  boxPlot,
  createSeriesColors,
  forestPlot,
  groupedBarPlot,
  heatmap,
  histogram,
  linePlot,
  type RunPage,
  reliabilityPlot,
  scatterPlot,
  type Section,
} from '../../src/index.js';

const random = createRandom('sample page');
const colors = createSeriesColors(['ours', 'baseline', 'graph', 'relation', 'attribute', 'image']);
const epochs = Array.from({ length: 61 }, (_, index) => index * 5);

/** Text that would break a page which forgets to escape. */
export const hostileText =
  '</script><script>alert("x")</script><img src="http://example.org/x.png">';

function curve(top: number, speed: number, noise: number) {
  const own = random.fork(`curve ${top} ${speed}`);
  return epochs.map((x) => {
    const y = top * (1 - Math.exp(-x / speed)) + own.normal() * noise;
    return { x, y, low: y - 3.2 * noise - 0.008, high: y + 3.2 * noise + 0.008 };
  });
}

function normals(name: string, count: number, [mean, deviation]: [number, number]) {
  return random.fork(name).fillNormal(new Float32Array(count), mean, deviation);
}

function trainingSection(): Section {
  const decay = (start: number, end: number) =>
    epochs.map((x) => ({ x, y: end + (start - end) * Math.exp(-x / 45) }));
  return {
    heading: 'Training',
    text: 'How the losses fall, and what each modality contributes to the joint embedding.',
    figures: [
      {
        figure: linePlot({
          title: 'Loss of each modality',
          x: { label: 'epoch' },
          y: { label: 'InfoNCE', unit: 'nats', isLog: true },
          series: [
            { name: 'graph', points: decay(6.2, 0.21) },
            { name: 'relation', points: decay(6.5, 0.83) },
            { name: 'attribute', points: decay(6.4, 0.95) },
            { name: 'image', points: decay(6.8, 2.1) },
          ],
          colors,
        }),
        caption: 'The graph is learnt first; images stay the weakest witness throughout.',
      },
      {
        figure: barPlot({
          title: 'Weight of each modality',
          value: { label: 'fusion weight', format: 'share' },
          bars: [
            { label: 'graph', value: 0.41, low: 0.39, high: 0.43, series: 'graph' },
            { label: 'relation', value: 0.27, low: 0.25, high: 0.29, series: 'relation' },
            { label: 'attribute', value: 0.21, low: 0.19, high: 0.23, series: 'attribute' },
            { label: 'image', value: 0.11, low: 0.1, high: 0.12, series: 'image' },
          ],
          colors,
        }),
        caption: 'Whiskers are 95 % over three seeds: the order is stable.',
      },
    ],
  };
}

function confidenceSection(): Section {
  const own = random.fork('confidence');
  const probabilities = Array.from({ length: 3000 }, () => own.beta(2.2, 0.8));
  const labels = probabilities.map((p) => own.uniform() < p ** 1.15);
  const scatter = Array.from({ length: 900 }, () => {
    const x = 0.1 + own.beta(2, 4);
    return { x, y: Math.max(1, Math.round(Math.exp(3.2 * x + 0.9 * own.normal()))) };
  });
  return {
    heading: 'Confidence',
    text: 'Whether the confidence written beside each pair can be taken at its word.',
    figures: [
      {
        figure: reliabilityPlot({
          title: 'Confidence against what is right',
          outcome: 'share of right pairs',
          ...expectedCalibrationError(probabilities, labels),
        }),
        caption: 'Dots near the diagonal: a pair called 80 % sure is right four times in five.',
      },
      {
        figure: histogram({
          title: 'Similarity of true pairs and of their hardest rivals',
          x: { label: 'cosine similarity', domain: [-0.2, 1] },
          series: [
            { name: 'true pair', values: normals('true', 4000, [0.66, 0.14]) },
            { name: 'hardest false pair', values: normals('false', 4000, [0.41, 0.11]) },
          ],
        }),
        caption: 'The less the shapes overlap, the fewer pairs are confused.',
      },
      {
        figure: scatterPlot({
          title: 'Uncertainty and rank of the true counterpart',
          x: { label: 'mean posterior σ' },
          y: { label: 'rank', isLog: true },
          series: [{ name: 'test entities', points: scatter }],
        }),
        caption: 'Entities the model is unsure about are those it ranks wrong.',
      },
      {
        figure: boxPlot({
          title: 'Posterior σ with and without image',
          value: { label: 'posterior σ' },
          groups: [
            { label: 'own image', values: normals('own', 900, [0.3, 0.05]) },
            { label: "neighbours' mean", values: normals('mean', 700, [0.42, 0.08]) },
            { label: 'no image', values: normals('none', 300, [0.55, 0.06]) },
          ],
        }),
        caption: 'Where the picture is missing the model says so.',
      },
    ],
  };
}

function ablationSection(): Section {
  const names = ['graph', 'relation', 'attribute', 'image'];
  return {
    heading: 'Ablations',
    figures: [
      {
        figure: forestPlot({
          title: 'What each part is worth',
          value: { label: 'change of H@1', format: 'share' },
          rows: [
            { label: 'without bottleneck', estimate: -0.021, low: -0.034, high: -0.009 },
            { label: 'without images', estimate: -0.012, low: -0.025, high: 0.002 },
            { label: 'without hybrid loss', estimate: -0.044, low: -0.058, high: -0.031 },
            { label: 'with pseudo seeds', estimate: 0.058, low: 0.044, high: 0.071 },
          ],
        }),
        caption: 'Filled dots: the 95 % interval excludes no change.',
      },
      {
        figure: groupedBarPlot({
          title: 'H@1 by share of seeds',
          value: { label: 'H@1', format: 'share' },
          groups: [0.1, 0.2, 0.3].map((share) => ({
            label: `${share * 100} % seeds`,
            bars: [
              { label: 'ours', value: 0.38 + share, low: 0.36 + share, high: 0.4 + share },
              { label: 'baseline', value: 0.22 + share, low: 0.2 + share, high: 0.24 + share },
            ],
          })),
          colors,
        }),
        caption: 'The lead over the baseline holds down to one seed in ten.',
      },
      {
        figure: heatmap({
          title: 'Agreement of the modalities',
          rows: names,
          columns: names,
          values: names.map((_, i) => names.map((__, j) => (i === j ? 1 : 0.82 - 0.17 * (i + j)))),
          value: { label: 'share of equal best matches', format: 'share', domain: [0, 1] },
        }),
        caption: 'Graph and relation mostly agree; images go their own way.',
      },
    ],
    table: {
      caption: 'Runs of the sweep',
      columns: [
        { key: 'rate', label: 'Learning rate', kind: 'number' },
        { key: 'hits', label: 'H@1', kind: 'share', best: 'highest' },
        { key: 'time', label: 'Seconds', kind: 'number', best: 'lowest' },
        { key: 'remark', label: 'Remark' },
      ],
      rows: [
        { rate: 0.0005, hits: { value: 0.748, deviation: 0.004, n: 3 }, time: 612, remark: '' },
        {
          rate: 0.005,
          hits: { value: 0.791, deviation: 0.003, n: 3 },
          time: 604,
          remark: 'default',
        },
        { rate: 0.05, hits: { value: null, note: 'diverged' }, time: 118, remark: 'stopped early' },
      ],
    },
  };
}

const cities = ['Paris', 'Lyon', 'Marseille', 'Toulouse', 'Nice', 'Nantes', 'Lille', 'Rennes'];

/** A page with every part and every figure, as a method would write it. */
export function samplePage(): RunPage {
  return {
    title: 'IBMEA on SRPRS EN-FR 3K',
    eyebrow: 'ibmea 0.1.0 · 26 November 2026 · seed 2024 · wasm, 2 threads',
    sentence:
      'Of 2,100 test entities, 79 of 100 find their counterpart at the first place, ' +
      'against 55 of 100 for the training-free baseline.',
    numbers: [
      {
        label: 'H@1',
        value: 0.791,
        interval: { low: 0.773, high: 0.808 },
        reference: 'baseline .552',
      },
      {
        label: 'H@10',
        value: 0.934,
        interval: { low: 0.923, high: 0.944 },
        reference: 'baseline .781',
      },
      {
        label: 'MRR',
        value: 0.842,
        interval: { low: 0.828, high: 0.856 },
        reference: 'chance .004',
      },
    ],
    mainFigure: {
      figure: linePlot({
        title: 'Entities found at the first place, while training',
        x: { label: 'epoch' },
        y: { label: 'H@1', format: 'share', hasZero: true },
        series: [{ name: 'ours', points: curve(0.79, 40, 0.004) }],
        references: [{ y: 0.552, label: 'training-free baseline .552' }],
        colors,
      }),
      caption:
        'After some 40 epochs the model passes the baseline; the gain levels off near 200. ' +
        'The band is the 95 % interval over test entities.',
    },
    comparison: {
      text:
        'Paper and reference code used the same seed file where one is known; ' +
        'otherwise that is said.',
      metrics: [
        { key: 'hits1', label: 'H@1', kind: 'share', best: 'highest' },
        { key: 'hits10', label: 'H@10', kind: 'share', best: 'highest' },
        { key: 'mrr', label: 'MRR', kind: 'share', best: 'highest' },
      ],
      rows: [
        {
          source: 'ours',
          label: 'ibmea, mode corrected',
          values: {
            hits1: { value: 0.791, low: 0.773, high: 0.808 },
            hits10: { value: 0.934, low: 0.923, high: 0.944 },
            mrr: { value: 0.842, low: 0.828, high: 0.856 },
          },
        },
        {
          source: 'baseline',
          label: 'seed propagation',
          values: { hits1: 0.552, hits10: 0.781, mrr: 0.631 },
        },
        {
          source: 'paper',
          label: 'Table 3',
          values: { hits1: { value: null, note: 'not reported on this pair' } },
        },
        {
          source: 'reference',
          label: 'released code',
          values: { hits1: 0.775, hits10: 0.931, mrr: null },
        },
      ],
    },
    sections: [trainingSection(), confidenceSection(), ablationSection()],
    examples: {
      text: 'Drawn at random among the test entities, ten of each kind.',
      items: Array.from({ length: 20 }, (_, index) => ({
        verdict: index % 2 === 0 ? ('right' as const) : ('wrong' as const),
        title: `http://dbpedia.org/resource/${cities[index % 8]}_${index}`,
        facts: [
          {
            label: 'matched',
            value: `http://fr.dbpedia.org/resource/${cities[(index * (1 + (index % 2))) % 8]}`,
          },
          { label: 'confidence', value: `.${90 - index * 3}` },
          { label: 'evidence', value: 'shares country, mayor, department' },
        ],
        ...(index === 1 ? { text: hostileText.repeat(12) } : {}),
      })),
    },
    cost: [
      { label: 'Time', value: '8 min 12 s' },
      { label: 'CPU time', value: '14 min 03 s' },
      { label: 'Peak memory', value: '1.4 GB' },
      { label: 'Seconds an epoch', value: '1.6' },
    ],
    settings: [
      ...Array.from({ length: 18 }, (_, index) => ({
        path: `training.option${index}`,
        value: index / 8,
        origin: index % 5 === 0 ? 'preset dbp15k' : 'default',
      })),
      { path: 'data.folder', value: 'data/en-fr-3k', origin: '--data' },
    ],
    files: ['ent_ids_1', 'ent_ids_2', 'triples_1', 'triples_2'].map((name, index) => ({
      path: `data/en-fr-3k/${name}`,
      sha256: index.toString(16).repeat(64),
      bytes: 81_234 * (index + 1),
    })),
    command:
      'ibmea train --data data/en-fr-3k --preset dbp15k --mode corrected --seed 2024 --out runs',
    environment: [
      { label: 'Node', value: '20.20.2' },
      { label: 'Revision', value: '6f0449c' },
    ],
    warnings: [
      `attribute ${hostileText} occurs once and is left out`,
      '12 entities have no triple: they are aligned by attributes alone.',
    ],
  };
}
