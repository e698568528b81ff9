/**
 * The settings that every alignment method has, as fields for its own schema.
 *
 * A method lays them out in its topics, with its own defaults and beside its own fields; the shared
 * parts read no others.
 */
import { z } from 'zod';

/** The kinds of evidence that an entity may have. */
export const modalities = ['image', 'attribute', 'relation', 'graph'] as const;

/** One kind of evidence about an entity. */
export type Modality = (typeof modalities)[number];

/** A list of kinds of evidence. */
export const modalityField = z.enum(modalities);

const size = (value: number, text: string) =>
  z.int().min(1).max(65_536).default(value).describe(text);
const share = (value: number, text: string) =>
  z.number().min(0).max(1).default(value).describe(text);

/** Defaults of {@link dataFields} that differ from method to method. */
export interface DataDefaults {
  readonly relationScaling: 'none' | 'log1p' | 'l2' | 'idf';
  /** What the method's released code does with relation counts, for the description. */
  readonly releasedScaling: string;
}

/** Which data are used, how links are split, and how features are made. */
export const dataFields = ({ relationScaling, releasedScaling }: DataDefaults) => ({
  modalities: z
    .array(modalityField)
    .min(1)
    .default([...modalities])
    .describe('modalities to use where the data has them'),
  split: z
    .enum(['provided', 'sha256'])
    .default('provided')
    .describe('without a seed file: the split that came with the data if any, or always by hash'),
  seedShare: share(0.3, 'share of the links that are seeds, by hash; 1 makes all links seeds'),
  validationShare: share(
    0,
    'share of the seeds kept out of training, for calibration and model selection',
  ),
  duplicateTriples: z
    .enum(['keep', 'drop'])
    .default('drop')
    .describe('what happens to repeated triple lines'),
  relationColumns: size(1000, 'most frequent relations that become columns'),
  attributeColumns: size(1000, 'most frequent attribute names that become columns'),
  padColumns: z
    .boolean()
    .default(false)
    .describe('fill relation and attribute inputs with zero columns up to the limits above'),
  relationScaling: z
    .enum(['none', 'log1p', 'l2', 'idf'])
    .default(relationScaling)
    .describe(`scaling of the relation counts; ${releasedScaling}`),
  missingImages: z
    .enum(['neighbour-mean', 'random', 'zeros', 'mask'])
    .default('neighbour-mean')
    .describe('what stands for the image vector of an entity without image'),
});

/** Defaults of {@link trainingFields}. */
export interface TrainingDefaults {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** In words, what the learning rate is. */
  readonly rateText: string;
}

/** How long and in which steps is trained. */
export const trainingFields = (defaults: TrainingDefaults) => ({
  epochs: z.int().min(0).default(defaults.epochs).describe('epochs, full-graph steps'),
  batchSize: z.int().min(2).default(defaults.batchSize).describe('seed pairs per batch'),
  learningRate: z.number().gt(0).default(defaults.learningRate).describe(defaults.rateText),
  weightDecay: z.number().min(0).default(0.01).describe('decoupled weight decay of AdamW'),
  patience: z
    .int()
    .min(0)
    .default(0)
    .describe('evaluations without a better validation MRR before training stops; 0 = off'),
  checkpointSeconds: z
    .number()
    .min(0)
    .default(60)
    .describe('shortest time between two checkpoints; seconds'),
});

/** When confident pairs become seeds; `start` is the first epoch of proposals. */
export const pseudoSeedFields = ({ start }: { readonly start: number }) => ({
  enabled: z.boolean().default(false).describe('add confident pairs to the seeds while training'),
  start: z.int().min(0).default(start).describe('first epoch at which pairs are proposed'),
  every: z.int().min(1).default(5).describe('epochs between proposals'),
  accept: z.int().min(1).default(50).describe('epochs between acceptances'),
  remove: z
    .boolean()
    .default(false)
    .describe('drop accepted pairs that are no longer mutual nearest neighbours'),
});

/** Defaults of {@link evaluationFields}. */
export interface EvaluationDefaults {
  readonly scores?: 'fused' | 'evidence';
}

/** How test pairs are ranked, and which epoch is reported. */
export const evaluationFields = ({ scores = 'fused' }: EvaluationDefaults = {}) => ({
  every: z.int().min(1).default(50).describe('epochs between evaluations; the last always counts'),
  enabled: z.boolean().default(true).describe('evaluate on the test links while training'),
  candidates: z
    .enum(['test', 'all'])
    .default('test')
    .describe('candidates of a query: test entities, or every entity of the other graph'),
  search: z
    .enum(['auto', 'exact', 'approximate'])
    .default('auto')
    .describe(
      'compare all pairs, or the nearest that an index finds (usearch); auto: the index from ' +
        '65,536 entities a side on, where it is installed',
    ),
  scores: z
    .enum(['fused', 'evidence'])
    .default(scores)
    .describe(
      'score of a pair: by the fused vectors, or by the evidence of every modality and of these, ' +
        'none of which can veto; for data with faulty rows',
    ),
  cslsNeighbours: z.int().min(0).default(3).describe('k of CSLS; 0 ranks by cosine'),
  select: z
    .enum(['last', 'validation', 'test-oracle'])
    .default('last')
    .describe('which evaluation is reported; test-oracle is what the released code prints'),
  baseline: z
    .boolean()
    .default(true)
    .describe('also rank by training-free propagation of the seeds'),
});

/** `seed` of a config. */
export const seedField = z.int().min(0).default(2023).describe('seed of every random stream');

type Fields<F extends z.core.$ZodLooseShape> = z.infer<z.ZodObject<F>>;

/** What the shared parts read of a method's config. */
export interface AlignmentConfig {
  readonly seed: number;
  readonly data: Fields<ReturnType<typeof dataFields>>;
  readonly training: Fields<ReturnType<typeof trainingFields>>;
  readonly pseudoSeeds: Fields<ReturnType<typeof pseudoSeedFields>>;
  readonly evaluation: Fields<ReturnType<typeof evaluationFields>>;
}

/** The value at a path such as `loss.alpha`; undefined where there is none. */
export function valueAt(config: AlignmentConfig, path: string): unknown {
  let value: unknown = config;
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
  return value;
}
