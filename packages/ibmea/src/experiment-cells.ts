/**
 * The ablations and sweeps of the method, group by group: what is changed and how it is drawn.
 */
import type { Modality } from './config.js';

/** A deliberate fault of the data. */
export interface Corruption {
  readonly kind: 'swap-rows' | 'flip-attributes' | 'noise-images' | 'drop-images';
  /** Chance per row or bit, 0..1. */
  readonly probability: number;
}

/** One setting of an experiment. */
export interface AblationCell {
  /** Unique, `<group>/<what>`. */
  readonly id: string;
  /** In words, for tables. */
  readonly label: string;
  /** Config paths that are set. */
  readonly set: Readonly<Record<string, unknown>>;
  /** Share of the seed pairs that is used; default all. The test pairs stay the same. */
  readonly seedShare?: number;
  readonly corruption?: Corruption;
  /** Place on the x axis of a sweep. */
  readonly x?: number;
  /** Curve of a sweep. */
  readonly series?: string;
}

/** Cells that belong together: one table and one figure. */
export interface AblationGroup {
  readonly name: string;
  readonly title: string;
  /** What to look for. */
  readonly caption: string;
  /** Axis of a sweep; without it the figure has bars. */
  readonly axis?: { readonly label: string; readonly isLog?: boolean };
  readonly cells: readonly AblationCell[];
}

const named: Record<Modality, string> = {
  image: 'images',
  attribute: 'attributes',
  relation: 'relations',
  graph: 'graph',
};

/** Betas of every modality at once. */
const allBetas = (value: number) => ({
  'loss.graphBeta': value,
  'loss.imageBeta': value,
  'loss.relationBeta': value,
  'loss.attributeBeta': value,
});

/** The same model without any bottleneck: plain encoders, as MCLEA has them. */
const plain = { 'model.bottlenecks': [] };

/**
 * All groups for data that have these modalities.
 *
 * @param present - modalities of the data; groups that need another are left out.
 * @param seedShare - share of the links that are seeds: the most that "few seeds" can start from.
 */
export function ablationGroups(present: readonly Modality[], seedShare = 0.3): AblationGroup[] {
  const groups = [
    mainGroup(),
    regulariserGroup(present),
    hybridGroup(),
    modalityGroup(present),
    encoderGroup(),
    betaGroup(present),
    temperatureGroup(),
    hybridWeightGroup(),
    multiSimilarityGroup(),
    lowResourceGroup(seedShare),
    noiseGroup(present),
    noiseModalityGroup(),
  ];
  return groups.filter(({ cells }) => cells.length > 0);
}

function mainGroup(): AblationGroup {
  return {
    name: 'main',
    title: 'Modes, with and without pseudo seeds',
    caption: 'Mode corrected beside the released behaviour; pseudo seeds need over 100 epochs.',
    cells: ['corrected', 'official'].flatMap((mode) => [
      { id: `main/${mode}`, label: mode, set: { mode } },
      {
        id: `main/${mode}-pseudo-seeds`,
        label: `${mode}, pseudo seeds`,
        set: { mode, 'pseudoSeeds.enabled': true },
      },
    ]),
  };
}

function regulariserGroup(present: readonly Modality[]): AblationGroup {
  return {
    name: 'regularisers',
    title: 'Without each bottleneck',
    caption: 'A bar as long as the first says that the bottleneck brings nothing on clean data.',
    cells: [
      { id: 'regularisers/all', label: 'all bottlenecks', set: {} },
      ...present.map((modality) => ({
        id: `regularisers/without-${modality}`,
        label: `without that of the ${named[modality]}`,
        set: { 'model.bottlenecks': present.filter((other) => other !== modality) },
      })),
      { id: 'regularisers/none', label: 'none: plain encoders', set: plain },
      { id: 'regularisers/beta-zero', label: 'samples without KL terms', set: allBetas(0) },
      {
        id: 'regularisers/joint',
        label: 'bottleneck on the fused vectors too',
        set: { 'model.jointBottleneck': true },
      },
      {
        id: 'regularisers/no-hybrid',
        label: 'without hybrid loss',
        set: { 'loss.hybrid': 'none' },
      },
    ],
  };
}

function hybridGroup(): AblationGroup {
  const cell = (hybrid: string, label: string, weight?: number) => ({
    id: `hybrid/${hybrid}`,
    label,
    set: {
      'loss.hybrid': hybrid,
      ...(weight === undefined ? {} : { 'loss.hybridWeight': weight }),
    },
  });
  return {
    name: 'hybrid',
    title: 'Loss of the fused vectors',
    caption: 'Multi-similarity as published, or one of the contrastive losses in its place.',
    cells: [
      cell('multi-similarity', 'multi-similarity'),
      cell('infonce', 'InfoNCE', 1),
      cell('icl', 'intra-modal contrastive (MCLEA)', 1),
      {
        id: 'hybrid/attention-fusion',
        label: 'multi-similarity, fusion by attention',
        set: { 'model.fusion': 'attention' },
      },
    ],
  };
}

function modalityGroup(present: readonly Modality[]): AblationGroup {
  return {
    name: 'modalities',
    title: 'Modalities',
    caption: 'Each modality left out, and each alone.',
    cells: [
      { id: 'modalities/all', label: 'all', set: { 'data.modalities': present } },
      ...present.map((modality) => ({
        id: `modalities/without-${modality}`,
        label: `without ${named[modality]}`,
        set: { 'data.modalities': present.filter((other) => other !== modality) },
      })),
      ...present.map((modality) => ({
        id: `modalities/only-${modality}`,
        label: `${named[modality]} only`,
        set: { 'data.modalities': [modality] },
      })),
    ],
  };
}

function encoderGroup(): AblationGroup {
  return {
    name: 'encoder',
    title: 'Structure encoder',
    caption: 'Graph attention as published, or a plain graph convolution.',
    cells: [
      { id: 'encoder/gat', label: 'graph attention', set: {} },
      {
        id: 'encoder/gat-full',
        label: 'graph attention, full matrices',
        set: { 'model.attention': 'full' },
      },
      { id: 'encoder/gcn', label: 'graph convolution', set: { 'model.structureEncoder': 'gcn' } },
    ],
  };
}

function sweep(name: string, path: string, values: readonly number[]): readonly AblationCell[] {
  return values.map((value) => ({
    id: `${name}/${value}`,
    label: `${path.split('.').at(-1)} ${value}`,
    set: { [path]: value },
    x: value,
    series: 'H@1',
  }));
}

/** Zero stands left of the smallest positive value on a logarithmic axis. */
const BETAS = [0, 1e-4, 1e-3, 1e-2, 1e-1];

function betaGroup(present: readonly Modality[]): AblationGroup {
  return {
    name: 'beta',
    title: 'Bottleneck weight per modality',
    caption: 'One weight is changed, the others keep their default; 0 is drawn at 0.00001.',
    axis: { label: 'beta', isLog: true },
    cells: present.flatMap((modality) =>
      BETAS.map((beta) => ({
        id: `beta/${modality}-${beta}`,
        label: `${modality} beta ${beta}`,
        set: { [`loss.${modality}Beta`]: beta },
        x: beta === 0 ? 1e-5 : beta,
        series: modality,
      })),
    ),
  };
}

function temperatureGroup(): AblationGroup {
  return {
    name: 'temperature',
    title: 'Temperature of InfoNCE',
    caption: 'The released code uses 400 on FB15K, where InfoNCE is flat.',
    axis: { label: 'tau', isLog: true },
    cells: sweep('temperature', 'loss.temperature', [0.05, 0.1, 0.2, 1, 400]),
  };
}

function hybridWeightGroup(): AblationGroup {
  return {
    name: 'hybrid-weight',
    title: 'Weight of the hybrid loss',
    caption: 'w_J of the total loss.',
    axis: { label: 'w_J' },
    cells: sweep('hybrid-weight', 'loss.hybridWeight', [0.5, 1, 3, 5, 10]),
  };
}

function multiSimilarityGroup(): AblationGroup {
  return {
    name: 'multi-similarity',
    title: 'Alpha and beta of the multi-similarity loss',
    caption: 'Alpha weighs the positive pair, beta sharpens the choice of negatives.',
    axis: { label: 'value', isLog: true },
    cells: [
      ...[0.1, 1, 5, 20].map((alpha) => ({
        id: `multi-similarity/alpha-${alpha}`,
        label: `alpha ${alpha}`,
        set: { 'loss.alpha': alpha },
        x: alpha,
        series: 'alpha',
      })),
      ...[10, 40, 80].map((beta) => ({
        id: `multi-similarity/beta-${beta}`,
        label: `beta ${beta}`,
        set: { 'loss.beta': beta },
        x: beta,
        series: 'beta',
      })),
    ],
  };
}

/** Settings that are compared where data are few or faulty. */
const rivals = [
  { series: 'bottlenecks', set: {} },
  { series: 'plain encoders (MCLEA)', set: plain },
] as const;

function lowResourceGroup(seedShare: number): AblationGroup {
  // Shares of all links, as the field reports them, up to all seeds that there are.
  const shares = [0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3].filter((share) => share <= seedShare);
  return {
    name: 'low-resource',
    title: 'Few seeds',
    caption: 'The same test pairs throughout; only fewer seed pairs are used.',
    axis: { label: 'seed pairs, % of links' },
    cells: rivals.flatMap(({ series, set }) =>
      shares.map((share) => ({
        id: `low-resource/${series}-${share}`,
        label: `${series}, ${Math.round(share * 100)} % seeds`,
        set,
        seedShare: share / seedShare,
        x: share * 100,
        series,
      })),
    ),
  };
}

function noiseGroup(present: readonly Modality[]): AblationGroup {
  const kinds: Corruption['kind'][] = ['swap-rows', 'flip-attributes'];
  if (present.includes('image')) kinds.push('drop-images');
  const words: Record<Corruption['kind'], string> = {
    'swap-rows': 'rows of other entities',
    'flip-attributes': 'flipped attributes',
    'noise-images': 'noise as images',
    'drop-images': 'dropped images',
  };
  return {
    name: 'noise',
    title: 'Faulty modalities',
    caption: 'Attribute and relation rows of other entities, or flipped attribute bits.',
    axis: { label: 'share of faulty rows or bits, %' },
    cells: kinds.flatMap((kind) =>
      rivals.flatMap(({ series, set }) =>
        [0, 0.1, 0.3, 0.5].map((probability) => ({
          id: `noise/${kind}-${series}-${probability}`,
          label: `${words[kind]} ${probability * 100} %, ${series}`,
          set,
          corruption: { kind, probability },
          x: probability * 100,
          series: `${words[kind]}, ${series}`,
        })),
      ),
    ),
  };
}

function noiseModalityGroup(): AblationGroup {
  return {
    name: 'noise-modality',
    title: 'A modality of pure noise',
    caption: 'Random vectors as images: a good fusion must not lose by them.',
    cells: rivals.flatMap(({ series, set }) =>
      [0, 1].map((probability) => ({
        id: `noise-modality/${series}-${probability}`,
        label: `${series}${probability === 0 ? '' : ', noise images'}`,
        set,
        ...(probability === 0
          ? {}
          : { corruption: { kind: 'noise-images' as const, probability } }),
      })),
    ),
  };
}
