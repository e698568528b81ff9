/**
 * What the paper's chart shows of its checkpoints, to be set beside a run of one of them.
 *
 * Source: ydyjya/LLM-IHS-Explanation, the figure file of accuracies by layer. Its curves were read
 * off by eye: no number here was printed by the authors, but for the two correlations.
 */
import type { Config } from './config.js';
import type { ProbeResult } from './probe-result.js';
import type { StateStoreAbout } from './state-store.js';

/** Whether prompts stood alone or in the model's format of conversations. */
export type PublishedCondition = 'bare' | 'chat format';

/** A checkpoint of the chart. */
export interface PublishedModel {
  readonly name: string;
  /** Last part of its folder or repository, in small letters, without `meta-` and `-hf`. */
  readonly folder: string;
  /** Blocks. */
  readonly layerCount: number;
  readonly isAligned: boolean;
}

/** A published accuracy, or a range of them, with what the reading leaves open. */
export interface PublishedPoint {
  /** 0 the embedding, which the chart calls -1. */
  readonly state: number;
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
}

/** A curve of the chart. */
export interface PublishedCurve {
  readonly probe: 'mlp' | 'svm';
  /** In the order of their states; states where another curve hides it are missing. */
  readonly points: readonly PublishedPoint[];
}

/** A number, a range where more cannot be read, null where another curve hides it. */
type Reading = number | readonly [number, number] | null;

/** States of the readings: the chart's positions -1 to 5, 10, 20 and the last. */
const READ_STATES = [0, 1, 2, 3, 4, 5, 6, 11, 21, 'last'] as const;

/** Where a curve changes by more from one reading to the next, it is steep. */
const STEEP = 0.02;
/** What the reading leaves open, where a curve is flat and where it is steep. */
const FLAT_ERROR = 0.003;
const STEEP_ERROR = 0.01;

const model = (
  name: string,
  folder: string,
  { layerCount = 32, isAligned = true }: Partial<PublishedModel> = {},
): PublishedModel => ({ name, folder, layerCount, isAligned });

const base = { isAligned: false };
const large = { layerCount: 80 };

/** Checkpoints whose curves could be read. */
export const publishedModels: readonly PublishedModel[] = [
  model('Llama-2-7b', 'llama-2-7b', base),
  model('Llama-2-7b-chat', 'llama-2-7b-chat'),
  model('Llama-3-8B', 'llama-3-8b', base),
  model('Llama-3-8B-Instruct', 'llama-3-8b-instruct'),
  model('Mistral-7B', 'mistral-7b-v0.1', base),
  model('Mistral-7B-Instruct-v0.1', 'mistral-7b-instruct-v0.1'),
  model('Falcon-7b-instruct', 'falcon-7b-instruct'),
  model('Llama-2-70b-chat', 'llama-2-70b-chat', large),
  model('Llama-3-70B-Instruct', 'llama-3-70b-instruct', large),
];

/** The machine's curves, 500 + 500 prompts, in the order of {@link READ_STATES}. */
const svmReadings: Readonly<
  Record<string, Partial<Record<PublishedCondition, readonly Reading[]>>>
> = {
  'Llama-2-7b': {
    bare: [0.5, 0.86, 0.91, 0.98, 0.99, 0.99, 0.99, 0.997, 1, 0.993],
  },
  'Llama-2-7b-chat': {
    bare: [0.5, 0.87, 0.93, 0.993, 0.997, 0.993, 0.993, null, null, 0.997],
    'chat format': [0.5, 0.84, 0.9, 0.967, 0.983, 0.993, 0.997, 1, 1, 1],
  },
  'Llama-3-8B': {
    bare: [0.5, 0.8, 0.98, 0.993, null, null, null, 0.993, 0.993, 0.993],
  },
  'Llama-3-8B-Instruct': {
    bare: [0.5, 0.76, 0.96, 0.99, null, null, 0.993, 0.997, 0.997, 0.997],
    'chat format': [0.5, 0.72, 0.85, 0.925, 0.997, 0.997, 0.997, 0.993, 1, 1],
  },
  'Mistral-7B': {
    bare: [0.5, [0.83, 0.85], 0.87, 0.967, 0.993, 0.995, 0.997, 0.993, 0.99, 0.993],
  },
  'Mistral-7B-Instruct-v0.1': {
    bare: [0.5, 0.86, 0.93, 0.977, 0.987, null, 1, 0.997, 0.997, 0.997],
    'chat format': [0.5, 0.61, 0.74, 0.89, 0.963, 1, 0.993, 1, 1, 1],
  },
  'Falcon-7b-instruct': {
    bare: [0.5, [0.95, 0.98], 0.987, 0.993, 0.98, 0.99, null, 1, 1, 1],
    'chat format': [0.5, 0.99, 0.983, 0.983, 0.993, 0.993, 0.993, 1, 0.997, 0.997],
  },
  'Llama-2-70b-chat': {
    bare: [0.467, 0.955, 0.97, 0.973, 0.98, 0.99, 0.997, null, null, null],
    'chat format': [0.5, 0.91, 0.96, 0.97, 0.99, 0.99, 0.993, 1, 1, 1],
  },
  'Llama-3-70B-Instruct': {
    bare: [0.467, 0.83, 0.91, 0.953, 0.973, 0.98, 1, null, null, 0.997],
    'chat format': [0.5, 0.67, 0.75, 0.83, 0.91, 0.957, 0.987, 1, 1, 1],
  },
};

/**
 * Correlation of consistency and attack success over models, as summaries of the paper give them;
 * which correlation it is they do not say.
 */
export const publishedCorrelations = [
  { prompts: 'malicious', value: -0.516 },
  { prompts: 'jailbreak', value: -0.81 },
] as const;

/** The checkpoint that a path names by its last such part; null for others. */
export function publishedModelOf(path: string): PublishedModel | null {
  const parts = path.toLowerCase().split(/[\\/]|--/);
  for (const part of parts.toReversed()) {
    const plain = part.replace(/^meta-/, '').replace(/-hf$/, '');
    const found = publishedModels.find(({ folder }) => folder === plain);
    if (found !== undefined) return found;
  }
  return null;
}

/** The condition of a run by the format of its prompts. */
export const conditionOf = (format: string): PublishedCondition =>
  format === 'direct' ? 'bare' : 'chat format';

/** Curves of a checkpoint under a condition; none where the chart has none. */
export function publishedCurves(
  of: PublishedModel,
  condition: PublishedCondition,
): PublishedCurve[] {
  const readings = svmReadings[of.name]?.[condition];
  if (readings === undefined) return [];
  const points = readings.flatMap((reading, at): PublishedPoint[] => {
    const place = READ_STATES[at]!;
    const state = place === 'last' ? of.layerCount : place;
    return reading === null ? [] : [{ state, ...pointOf(readings, at, reading) }];
  });
  return [
    { probe: 'svm', points },
    { probe: 'mlp', points: perceptronPoints(of, condition) },
  ];
}

function pointOf(readings: readonly Reading[], at: number, reading: number | readonly number[]) {
  if (typeof reading !== 'number') {
    const [low, high] = reading as readonly [number, number];
    return { accuracy: (low + high) / 2, low, high };
  }
  const near = [readings[at - 1], readings[at + 1]].filter((one) => typeof one === 'number');
  const isSteep = near.some((one) => Math.abs(one - reading) > STEEP);
  const error = isSteep ? STEEP_ERROR : FLAT_ERROR;
  return { accuracy: reading, low: reading - error, high: Math.min(1, reading + error) };
}

/** What holds for the perceptron of every model, and where two of them part from it. */
function perceptronPoints(
  { name, layerCount, isAligned }: PublishedModel,
  condition: PublishedCondition,
): PublishedPoint[] {
  const range = (state: number, low: number, high: number) => ({
    ...{ state, accuracy: (low + high) / 2, low, high },
  });
  const early = [range(1, 0.95, 0.97), ...[2, 3, 4, 5, 6].map((state) => range(state, 0.97, 0.99))];
  const late = [7, layerCount - 1].map((state) => range(state, 0.99, 1));
  const end = isAligned ? range(layerCount, 0.997, 1) : range(layerCount, 0.98, 0.99);
  const own = ownPerceptron(name, condition);
  const points = early.map((point) => own.find(({ state }) => state === point.state) ?? point);
  return [...points, ...late, end];
}

function ownPerceptron(name: string, condition: PublishedCondition): PublishedPoint[] {
  if (name === 'Llama-2-7b') {
    return [2, 3].map((state) => ({ state, accuracy: 0.9375, low: 0.93, high: 0.945 }));
  }
  if (name !== 'Llama-2-7b-chat' || condition !== 'chat format') return [];
  return [0.96, 0.97, 0.99, 0.983, 0.99, 0.99].map((accuracy, at) => ({
    ...{ state: at + 1, accuracy, low: accuracy - FLAT_ERROR, high: accuracy + FLAT_ERROR },
  }));
}

/** A run whose settings are set against the chart's. */
export interface ComparedRun {
  readonly probes: Pick<ProbeResult, 'classes' | 'settings'>;
  readonly about: StateStoreAbout;
  readonly config: Config;
}

/**
 * Settings of a run that are not those of the chart. 500 + 500 is concluded from the steps of its
 * curves and their begin at .500; whether prompts are the published ones cannot be told here.
 */
export function publishedDifferences({ probes, about, config }: ComparedRun): string[] {
  const { split, svm, mlp, seed, deduplicate } = probes.settings;
  const counts = probes.classes.map(({ count }) => count).join(' + ');
  const facts: readonly (readonly [string, unknown, unknown])[] = [
    ['prompts', counts, '500 + 500'],
    ['data.deduplicate', deduplicate, false],
    ['data.normalisation', config.data.normalisation, 'period'],
    ['states.site', about.site, 'residual'],
    ['states.positions', about.positions, 'last'],
    ['states.isNormed', about.isNormed, true],
    ['split.isStratified', split.isStratified, false],
    ['split.testShare', split.testShare, 0.3],
    ['split.folds', split.folds, 0],
    ['split.repeats', split.repeats, 1],
    ['seed', seed, 42],
    ...(Object.entries(svmSettings) as [keyof Config['svm'], unknown][]).map(
      ([key, value]) => [`svm.${key}`, svm[key], value] as const,
    ),
    ...(Object.entries(mlpSettings) as [keyof Config['mlp'], unknown][]).map(
      ([key, value]) => [`mlp.${key}`, mlp[key], value] as const,
    ),
  ];
  return facts.flatMap(([name, own, published]) =>
    own === published ? [] : [`${name} is ${String(own)}, published ${String(published)}`],
  );
}

const svmSettings: Config['svm'] = { c: 1, kernel: 'linear', tolerance: 1e-3, isScaled: false };

const mlpSettings: Config['mlp'] = {
  ...{ hiddenUnits: 100, learningRate: 0.01, alpha: 0.01, maxEpochs: 300 },
  ...{ patience: 10, tolerance: 1e-4, batchSize: 200 },
};
