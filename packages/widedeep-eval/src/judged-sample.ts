/**
 * A prediction in the few numbers that evaluations need: thousands of them fit into memory.
 */
import type { Prediction } from '@lab/llm';
import { differenceOf, isUsable, type Judgement, reviewsOf } from './judgement.js';
import type { Aggregates, Layer, Neuron, Order, ReviewProblem } from './judgement.js';
import { isUnanimous } from './network.js';
import { type Verdict, verdictOf } from './verdict.js';

/** Counts of verdicts. */
export interface OutcomeCounts {
  readonly '1': number;
  readonly '2': number;
  readonly tie: number;
}

/** A judged sample without its texts. */
export interface JudgedSample {
  readonly id: string;
  readonly dataset: string;
  readonly family: string;
  /** How its row ended: `ok`, `unparsed`, `context-length`, ... */
  readonly status: string;
  readonly gold: Verdict | null;
  readonly verdict: Verdict | null;
  readonly aggregates: Aggregates;
  /** Verdicts of all answers of all judges. */
  readonly outcomes: OutcomeCounts;
  /** Verdicts of the judges of the last layer that gave scores. */
  readonly votes: readonly Verdict[];
  /** Judges that judged both orders, and those of them whose verdict changed. */
  readonly bothOrders: number;
  readonly conflicts: number;
  /** Answers that prefer what was shown first, and those that prefer what was shown second. */
  readonly firstPreferred: number;
  readonly secondPreferred: number;
  /** The mean difference by order; null where an order has no scores. */
  readonly differences: { readonly [order in Order]: number | null };
  readonly roles: readonly string[];
  /** Mean difference of each layer, U - V; null where a layer has no scores. */
  readonly layerDifferences: readonly (number | null)[];
  /** Mean difference of each judge of the first layer; null where it gave no scores. */
  readonly judgeDifferences: readonly (number | null)[];
  /** Whether all judges of the first layer prefer the same answer in every order. */
  readonly isUnanimous: boolean;
  /** Answers that judges of later layers gave. */
  readonly laterAnswers: number;
  readonly stoppedAfter: number | null;
  readonly flags: readonly string[];
  /** Characters of the first answer minus those of the second; null where they are not known. */
  readonly lengthDifference: number | null;
  /** Answers without scores, by reason. */
  readonly problems: { readonly [problem in ReviewProblem]?: number };
  readonly calls: number;
  readonly tokens: { readonly in: number; readonly out: number };
  readonly costUsd: number | null;
  readonly system1: string | null;
  readonly system2: string | null;
}

const noAggregates: Aggregates = { voteLast: null, voteAll: null, avgLast: null, avgAll: null };

/** The numbers of a prediction; one without output, such as a sample too long, has no verdict. */
export function judgedSample(prediction: Prediction<Judgement>): JudgedSample {
  const { id, status, output, usage, costUsd, requestHash, requestHashes } = prediction;
  const layers = output?.layers ?? [];
  const neurons = layers.flatMap((layer) => layer.neurons);
  const last = layers.at(-1)?.neurons ?? [];
  return {
    id,
    status,
    dataset: output?.dataset ?? '',
    family: output?.family ?? '',
    gold: output?.gold ?? null,
    verdict: output?.verdict ?? null,
    aggregates: output?.aggregates ?? noAggregates,
    ...countsOf(neurons),
    votes: last.filter(isUsable).map(voteOf),
    roles: output?.roles.map(({ name }) => name) ?? [],
    layerDifferences: layers.map(({ neurons: some }) => meanDifference(some)),
    judgeDifferences: layers[0]?.neurons.map((neuron) => meanDifference([neuron])) ?? [],
    isUnanimous: isUnanimous(layers[0]?.neurons ?? []),
    laterAnswers: layers.slice(1).reduce((sum, layer) => sum + answersOf(layer), 0),
    stoppedAfter: output?.stoppedAfter ?? null,
    flags: output?.flags ?? [],
    lengthDifference: output === null ? null : output.lengths[0] - output.lengths[1],
    calls: requestHashes?.length ?? (requestHash === null ? 0 : 1),
    tokens: { in: usage.prompt, out: usage.completion },
    costUsd,
    system1: output?.system1 ?? null,
    system2: output?.system2 ?? null,
  };
}

const answersOf = (layer: Layer): number =>
  layer.neurons.reduce((sum, neuron) => sum + reviewsOf(neuron).length, 0);

/** The verdict of a judge over its orders. */
function voteOf(neuron: Neuron): Verdict {
  return verdictOf(reviewsOf(neuron).reduce((sum, review) => sum + (differenceOf(review) ?? 0), 0));
}

/** The mean difference over all answers of judges that gave scores. */
function meanDifference(neurons: readonly Neuron[]): number | null {
  const found = neurons
    .filter(isUsable)
    .flatMap((neuron) => reviewsOf(neuron).map((review) => differenceOf(review) ?? 0));
  if (found.length === 0) return null;
  return found.reduce((sum, difference) => sum + difference, 0) / found.length;
}

function countsOf(neurons: readonly Neuron[]) {
  const outcomes = { '1': 0, '2': 0, tie: 0 };
  const problems: { [problem in ReviewProblem]?: number } = {};
  const sums = { '12': { sum: 0, count: 0 }, '21': { sum: 0, count: 0 } };
  let [bothOrders, conflicts, firstPreferred, secondPreferred] = [0, 0, 0, 0];
  for (const { orders } of neurons) {
    const found: Verdict[] = [];
    for (const order of ['12', '21'] as const) {
      const review = orders[order];
      const difference = differenceOf(review);
      if (review?.problem !== undefined) {
        problems[review.problem] = (problems[review.problem] ?? 0) + 1;
      }
      if (difference === null) continue;
      const verdict = verdictOf(difference);
      found.push(verdict);
      outcomes[verdict] += 1;
      sums[order].sum += difference;
      sums[order].count += 1;
      if (verdict !== 'tie') {
        if ((verdict === '1') === (order === '12')) firstPreferred += 1;
        else secondPreferred += 1;
      }
    }
    if (found.length < 2) continue;
    bothOrders += 1;
    if (found[0] !== found[1]) conflicts += 1;
  }
  const meanOf = (order: Order) =>
    sums[order].count === 0 ? null : sums[order].sum / sums[order].count;
  const differences = { '12': meanOf('12'), '21': meanOf('21') };
  const position = { bothOrders, conflicts, firstPreferred, secondPreferred };
  return { outcomes, problems, ...position, differences };
}
