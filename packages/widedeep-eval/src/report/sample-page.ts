/**
 * The judgement of one pair at a glance: who prefers what, from which angle, and why.
 */
import { formatCount, formatNumber, formatPercent, readRunRecord } from '@lab/core';
import type { Prediction } from '@lab/llm';
import {
  type BigNumber,
  type CaptionedFigure,
  forestPlot,
  type RunPage,
  type Section,
  type Table,
} from '@lab/report';
import {
  differenceOf,
  type Judgement,
  type Layer,
  type Neuron,
  type Review,
  reviewsOf,
  scoresText,
} from '../judgement.js';
import type { Sample } from '../sample.js';
import { type Verdict, verdictOf } from '../verdict.js';

/** What the page of one judgement is made of. */
export interface SamplePageInput {
  readonly dir: string;
  readonly prediction: Prediction<Judgement>;
  /** The texts; absent where the data are gone. */
  readonly sample: Sample | undefined;
}

const verdictWords = { '1': 'answer 1', '2': 'answer 2', tie: 'a tie' } as const;

/** A verdict in words. */
export const wordsOf = (verdict: Verdict | null): string =>
  verdict === null ? 'no verdict' : verdictWords[verdict];

/** The page of one judgement, for `writeRunPage`. */
export function samplePage({ dir, prediction, sample }: SamplePageInput): RunPage {
  const { id, output: judgement, usage, requestHashes = [] } = prediction;
  const record = readRunRecord(dir);
  const main = judgement === null ? null : differenceFigure(judgement);
  return {
    title: judgement === null ? `Pair ${id}` : headline(judgement),
    eyebrow: `pair ${id} of ${record.label}, ${record.start.slice(0, 10)}`,
    sentence:
      prediction.problem ?? (judgement === null ? 'It was not judged.' : sentence(judgement)),
    numbers: judgement === null ? [] : numbersOf(judgement),
    ...(main === null ? {} : { mainFigure: main }),
    sections: [
      ...(sample === undefined ? [] : [pairSection(sample)]),
      ...(judgement === null ? [] : [verdictSection(judgement)]),
      ...(judgement?.layers.map((layer) => layerSection(layer, judgement)) ?? []),
    ],
    cost: [
      { label: 'calls', value: formatCount(requestHashes.length) },
      { label: 'tokens in', value: formatCount(usage.prompt) },
      { label: 'tokens out', value: formatCount(usage.completion) },
    ],
    settings: [],
    files: record.data,
    command: `widedeep-eval report ${dir} --sample ${id}`,
    warnings: [
      ...(record.label.startsWith('SIMULATED') ? ['The pair and its judges are SIMULATED.'] : []),
      ...(judgement === null ? [] : warningsOf(judgement)),
    ],
  };
}

function headline({ verdict, gold }: Judgement): string {
  const [said, known] = [wordsOf(verdict), gold === null ? '' : `; people say ${wordsOf(gold)}`];
  return `The network says ${said}${known}`;
}

function sentence({ layers, roles, verdict }: Judgement): string {
  if (layers.length === 0) return 'It took no model: the answers are alike, or a rule decided.';
  const judges = layers[0]?.neurons.length ?? 0;
  const names = roles.map(({ name }) => name).join(', ');
  const from = names === '' ? 'without roles' : `from the angles ${names}`;
  const rounds = layers.length - 1;
  const after = rounds === 0 ? 'without discussion' : `then ${rounds} of discussion`;
  const votes = votesOf(layers.at(-1));
  const count = votes.filter((vote) => vote === verdict).length;
  return (
    `${judges} judges ${from}: one layer alone, ${after}. In the last layer ${count} of ` +
    `${votes.length} agree with the verdict.`
  );
}

/** Verdicts of the judges of a layer that gave scores. */
function votesOf(layer: Layer | undefined): Verdict[] {
  return (layer?.neurons ?? []).flatMap((neuron) => {
    const mean = meanDifference(neuron);
    return mean === null ? [] : [verdictOf(mean)];
  });
}

function meanDifference(neuron: Neuron): number | null {
  const found = reviewsOf(neuron).map(differenceOf);
  if (found.length === 0 || found.includes(null)) return null;
  return found.reduce<number>((sum, difference) => sum + (difference ?? 0), 0) / found.length;
}

function numbersOf({ aggregates, layers, conflictRate }: Judgement): BigNumber[] {
  const { avgAll } = aggregates;
  const votes = votesOf(layers.at(-1));
  const count = (verdict: Verdict) => votes.filter((vote) => vote === verdict).length;
  return [
    {
      label: 'Mean scores',
      value: avgAll === null ? 'none' : `${avgAll.U.toFixed(1)} : ${avgAll.V.toFixed(1)}`,
      interval: 'answer 1 : answer 2, of all judges, out of 10',
    },
    {
      label: 'Votes of the last layer',
      value: `${count('1')} : ${count('2')}`,
      interval: count('tie') === 0 ? 'answer 1 : answer 2' : `and ${count('tie')} for a tie`,
    },
    {
      label: 'Judges who change with the order',
      value: conflictRate === null ? 'n/a' : formatPercent(conflictRate, 0),
      interval: conflictRate === null ? 'one order was judged' : 'of those who saw both orders',
    },
  ];
}

/** A row for each judge: its mean difference, and the span of both orders. */
function differenceFigure(judgement: Judgement): CaptionedFigure | null {
  const rows = judgement.layers.flatMap((layer) =>
    layer.neurons.flatMap((neuron) => {
      const found = reviewsOf(neuron).flatMap((review) => differenceOf(review) ?? []);
      const mean = meanDifference(neuron);
      if (mean === null) return [];
      const label = judgeName(neuron, layer, judgement);
      return [{ label, estimate: mean, low: Math.min(...found), high: Math.max(...found) }];
    }),
  );
  if (rows.length === 0) return null;
  const value = { label: 'score of answer 1 minus score of answer 2', hasZero: true };
  const words = rows.map(
    ({ label, estimate, low, high }) =>
      `${label}: ${formatNumber(estimate)} (${formatNumber(low)} and ${formatNumber(high)})`,
  );
  return {
    figure: forestPlot({
      title: 'Who prefers what',
      description:
        'Difference of scores by judge, mean of both orders (each order). ' +
        `${words.join('; ')}.`,
      value,
      rows,
    }),
    caption:
      'One line a judge, layer by layer. To the right of 0 answer 1 is preferred, to the left ' +
      'answer 2; the ends are the two orders. A hollow mark: it changes with the order.',
  };
}

const shownName = 30;

/** A judge by its layer, its number and the angle that it began with. */
function judgeName({ j, model }: Neuron, { layer }: Layer, { layers }: Judgement): string {
  const of = model === undefined ? '' : `${model}, `;
  const name = layers[0]?.neurons[j]?.roles.join(', ') || `judge ${j + 1}`;
  const short = name.length > shownName ? `${name.slice(0, shownName - 1)}…` : name;
  return `${layer}.${j + 1} ${of}${short}`;
}

function pairSection({ question, answer1, answer2 }: Sample): Section {
  return {
    heading: 'The pair',
    blocks: [
      ...(question === '' ? [] : [{ label: 'Question', text: question }]),
      { label: 'Answer 1', text: answer1 },
      { label: 'Answer 2', text: answer2 },
    ],
  };
}

function layerSection(layer: Layer, judgement: Judgement): Section {
  const { neurons } = layer;
  const hasBoth = neurons.some(({ orders }) => orders['21'] !== undefined);
  const isFirst = layer.layer === 1;
  const table: Table = {
    caption: isFirst ? 'Judges alone' : `Discussion, layer ${layer.layer}`,
    columns: [
      { key: 'judge', label: 'Judge' },
      { key: 'prefers', label: 'Prefers' },
      { key: '12', label: hasBoth ? 'Answer 1 first' : 'Scores' },
      ...(hasBoth ? [{ key: '21', label: 'Answer 2 first' }] : []),
      { key: 'text', label: 'Reasons', kind: 'block' },
    ],
    rows: neurons.map((neuron) => judgeRow(neuron, layer, judgement)),
    ...(neurons.length > shownJudges ? { pageRows: shownJudges } : {}),
  };
  const text = isFirst
    ? 'Each judge looks at the pair from its own angle and knows nothing of the others.'
    : 'Each judge has read its own reviews and those of the judges it is connected to.';
  return {
    heading: isFirst ? 'Layer 1: judges alone' : `Layer ${layer.layer}: discussion`,
    text: `${text} Scores are those of answer 1 and answer 2, in either order.`,
    table,
  };
}

/** Judges that are looked at without a filter. */
const shownJudges = 12;

/** A judge over both orders. */
function judgeRow(neuron: Neuron, layer: Layer, judgement: Judgement) {
  const { orders } = neuron;
  const mean = meanDifference(neuron);
  const signs = new Set(
    reviewsOf(neuron).map((review) => verdictOf(differenceOf(review) ?? Number.NaN)),
  );
  const prefers = mean === null ? null : wordsOf(verdictOf(mean));
  return {
    judge: judgeName(neuron, layer, judgement),
    prefers:
      prefers !== null && signs.size > 1
        ? { value: prefers, note: 'changes with the order' }
        : { value: prefers, ...(prefers === null ? { note: 'no scores' } : {}) },
    '12': scoresCell(orders['12']),
    '21': scoresCell(orders['21']),
    text: reasonsText(orders),
  };
}

const scoresCell = (review: Review | undefined) =>
  review === undefined || differenceOf(review) === null
    ? { value: null, note: review?.problem ?? 'not asked' }
    : scoresText(review);

/** The reasons of a judge; those of both orders one below the other. */
function reasonsText({ '12': forward, '21': backward }: Neuron['orders']) {
  const none = { value: null, note: 'none given' };
  if (backward === undefined)
    return forward === undefined || forward.text === '' ? none : forward.text;
  const parts = [
    ['ANSWER 1 FIRST', forward?.text ?? ''],
    ['ANSWER 2 FIRST', backward.text],
  ].filter(([, text]) => text !== '');
  return parts.length === 0 ? none : parts.map(([head, text]) => `${head}\n${text}`).join('\n\n');
}

function verdictSection({ aggregates }: Judgement): Section {
  const mean = (scores: { U: number; V: number } | null) =>
    scores === null ? 'none' : `${scores.U.toFixed(2)} : ${scores.V.toFixed(2)}`;
  return {
    heading: 'How the verdict comes about',
    table: {
      caption: 'All four aggregations',
      columns: [
        { key: 'way', label: 'Aggregation' },
        { key: 'all', label: 'All layers' },
        { key: 'last', label: 'Last layer' },
      ],
      rows: [
        { way: 'mean scores', all: mean(aggregates.avgAll), last: mean(aggregates.avgLast) },
        { way: 'vote', all: wordsOf(aggregates.voteAll), last: wordsOf(aggregates.voteLast) },
      ],
    },
  };
}

const flagWords: Readonly<Record<string, string>> = {
  'empty-answer': 'An answer is empty.',
  'identical-answers': 'The answers are the same.',
  'injection-suspect': 'An answer may speak to the judge; look at it.',
  'roles-capped': 'The model named more angles than were used.',
  'scores-as-written': 'Scores are as written: their probabilities could not be told everywhere.',
  truncated: 'The answers were cut to fit the context of the model.',
};

function warningsOf({ flags, layers, stoppedAfter }: Judgement): string[] {
  const failed = layers.flatMap(({ neurons }) =>
    neurons.flatMap((neuron) => reviewsOf(neuron).filter(({ problem }) => problem !== undefined)),
  );
  return [
    ...flags.map((flag) => flagWords[flag] ?? flag),
    ...(failed.length === 0 ? [] : [`${failed.length} answers gave no scores.`]),
    ...(stoppedAfter === undefined ? [] : ['All judges agreed: there was no discussion.']),
  ];
}
