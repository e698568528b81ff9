/**
 * Width and depth: judges side by side, and layers of discussion.
 *
 * Judge j of layer 1 judges from its own angle. Judge j of a deeper layer reads its own reviews of
 * the layer before and those of the judges it is connected to, N(j), and judges from the union of
 * their angles.
 */
import { type Asked, askJudges } from './ask-judge.js';
import type { WidedeepConfig } from './config.js';
import type { Family } from './families/family.js';
import type { History } from './judge-request.js';
import { differenceOf, type Layer, type Neuron, type Order, type Review } from './judgement.js';
import { reviewsOf } from './judgement.js';
import type { Jury } from './jury.js';
import { swapLabels } from './position.js';
import type { Sample } from './sample.js';

/** What {@link runNetwork} works with. */
export interface NetworkOptions {
  readonly family: Family;
  /** Names of the angles; for judges without roles an empty list. */
  readonly roles: readonly string[];
  readonly jury: Jury;
  readonly config: Pick<WidedeepConfig, 'judge' | 'network' | 'roles' | 'seed'>;
}

/** All layers, and the one after which the judges agreed. */
export interface NetworkResult {
  readonly layers: readonly Layer[];
  readonly stoppedAfter?: number;
}

/** The places of the judges that judge j reads, itself included, in order. */
export function neighbours(
  j: number,
  n: number,
  { connectivity, window }: Pick<WidedeepConfig['network'], 'connectivity' | 'window'>,
): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  return connectivity === 'full' ? all : all.filter((i) => Math.abs(i - j) <= window);
}

/**
 * Judges a sample with all layers, one after the other; within a layer all judges and both orders
 * at once.
 *
 * Deviation: with a single judge the released code asks about a literal placeholder; here it reads
 * its own reviews and keeps its angle. Roles are lists that keep their order, not joined sets.
 */
export async function runNetwork(sample: Sample, options: NetworkOptions): Promise<NetworkResult> {
  const { config, roles } = options;
  const { layers: depth, width, earlyStop } = config.network;
  const n = config.roles.kind === 'none' ? width : roles.length;
  let angles = Array.from({ length: n }, (_, j) => (roles.length === 0 ? [] : [j]));
  const layers: Layer[] = [];
  for (let layer = 1; layer <= depth; layer += 1) {
    const before = layers.at(-1) ?? null;
    if (before !== null) angles = unitedAngles(angles, config.network);
    const neurons = await askLayer({ sample, options, layer, angles, before });
    layers.push({ layer, neurons });
    if (earlyStop && layer === 1 && depth > 1 && isUnanimous(neurons)) {
      return { layers, stoppedAfter: 1 };
    }
  }
  return { layers };
}

/** Angles of the next layer, as places in the list of roles. */
function unitedAngles(
  angles: readonly (readonly number[])[],
  network: WidedeepConfig['network'],
): number[][] {
  return angles.map((_, j) => {
    const connected = neighbours(j, angles.length, network);
    const united = new Set(connected.flatMap((i) => angles[i] ?? []));
    return [...united].sort((a, b) => a - b);
  });
}

interface LayerWork {
  readonly sample: Sample;
  readonly options: NetworkOptions;
  readonly layer: number;
  readonly angles: readonly (readonly number[])[];
  readonly before: Layer | null;
}

async function askLayer(work: LayerWork): Promise<Neuron[]> {
  const { options, layer, angles } = work;
  const { roles, jury, config } = options;
  const orders: readonly Order[] = config.network.bothOrders ? ['12', '21'] : ['12'];
  const histories = orders.map((order) => historiesOf(work, order));
  const asked = angles.flatMap((places, j) =>
    orders.map((order, at): Asked & { readonly j: number; readonly order: Order } => ({
      j,
      order,
      client: jury(layer, j).client,
      question: {
        sample: work.sample,
        family: options.family,
        order,
        roles: places.map((place) => roles[place] ?? ''),
        history: histories[at]?.[j] ?? null,
        // Judges of a deeper layer may have read the same.
        replicate: layer === 1 ? replicateOf(roles, j) : j,
      },
    })),
  );
  const reviews = await askJudges(asked, config);
  return angles.map((places, j): Neuron => {
    const own: { [order in Order]?: Review } = {};
    for (const [at, one] of asked.entries()) if (one.j === j) own[one.order] = reviews[at]!;
    const names = places.map((place) => roles[place] ?? '');
    const { model } = jury(layer, j);
    return model === undefined
      ? { j, roles: names, orders: own }
      : { j, roles: names, model, orders: own };
  });
}

/** How many judges before this one have the same angle, and so the same prompt. */
export function replicateOf(roles: readonly string[], j: number): number {
  if (roles.length === 0) return j;
  let count = 0;
  for (let i = 0; i < j; i += 1) if (roles[i] === roles[j]) count += 1;
  return count;
}

/** What each judge reads, in the order in which the answers are shown to it. */
function historiesOf({ options, before }: LayerWork, order: Order): History[] | null {
  if (before === null) return null;
  const { neurons } = before;
  const texts = neurons.map((neuron) => reviewTexts(neuron, order));
  return neurons.map((_, j) => {
    const connected = neighbours(j, neurons.length, options.config.network);
    return {
      own: texts[j] ?? [],
      others: connected.filter((i) => i !== j).flatMap((i) => texts[i] ?? []),
    };
  });
}

/** The reviews of a judge that have scores, as texts with their scores. */
function reviewTexts(neuron: Neuron, order: Order): string[] {
  return reviewsOf(neuron)
    .filter((review) => differenceOf(review) !== null)
    .map((review) => reviewText(review, order));
}

/** A review as a judge reads it to whom the answers are shown in an order. */
export function reviewText({ text, u, v, written }: Review, order: Order): string {
  const isForward = order === '12';
  const said = written ?? { u, v };
  const evidence = isForward ? text : swapLabels(text);
  const [first, second] = isForward ? [said.u, said.v] : [said.v, said.u];
  return `${evidence}\nScore of Assistant 1: ${first}\nScore of Assistant 2: ${second}`.trim();
}

/** Whether all judges prefer the same answer in every order. */
export function isUnanimous(neurons: readonly Neuron[]): boolean {
  const signs = neurons.flatMap((neuron) =>
    reviewsOf(neuron).map((review) => Math.sign(differenceOf(review) ?? 0)),
  );
  return signs.length > 0 && signs[0] !== 0 && signs.every((sign) => sign === signs[0]);
}
