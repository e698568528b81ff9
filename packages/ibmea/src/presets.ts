/**
 * Settings by mode and by data set.
 *
 * Mode `official` is the released code (sutaoyu/IBMEA, commit a21814c) with its behaviour; mode
 * `corrected` is what its equations mean. A preset holds what the released scripts change between
 * data sets; `own` is for graphs that no paper has tuned.
 */
import type { DeepPartial } from '@lab/core';
import type { IbmeaConfig } from './config.js';

/**
 * What mode `official` changes against the defaults (which are mode `corrected`).
 *
 * Chosen for mode `corrected` on validation pairs (`bench/tune.ts 100`, EN-FR 3K, a fifth of the
 * seeds kept out, seed 2023, mean H@1 of both directions at the best epoch): relation counts as
 * log(1 + n) .667, as they are .650, rows of norm 1 .644. Plain counts of hubs also make the first
 * KL terms of that mode exceed 1e6.
 */
export const modeValues: Record<string, DeepPartial<IbmeaConfig>> = {
  corrected: {},
  official: {
    data: { duplicateTriples: 'keep', padColumns: true, relationScaling: 'none' },
    model: { noise: 'official', graphScale: 'elu', prior: 'official', unusedSlots: true },
    loss: { direction: 'left-to-right', klPer: 'batch' },
    training: { clipping: 'accumulated' },
    evaluation: { samples: 1, scores: 'fused' },
  },
};

const fb15k: DeepPartial<IbmeaConfig> = {
  data: { seedShare: 0.2 },
  training: { epochs: 500, batchSize: 1000, warmup: 400, horizon: 1000 },
};

/** What the released script for FB15K sets beside `fb15k`; mode `corrected` keeps tau 0.1. */
const fb15kOfficial: DeepPartial<IbmeaConfig> = {
  loss: { temperature: 400, alpha: 0.1, hybridWeight: 1 },
};

/**
 * Mode `corrected` on the DBP15K family, chosen on validation pairs: `bench/tune.ts`, EN-FR 3K, 270
 * of the 900 seeds kept out, seed 2023, mean H@1 / MRR of both directions among all entities, after
 * 100 epochs with warm-up 10 and horizon 125 (in parentheses the best earlier evaluation).
 *
 * Values of mode `official`: .667 / .748 (.680). Deviations that start at a tenth, so that noise
 * does not drown the mean: .672 / .750 (.694), at .03 .650, at .3 .665. KL terms then pull them up
 * again and the ranking falls from epoch 40 on; with beta 1e-4 it does not: .689 / .773, with 1e-5
 * .687 / .774. No bottleneck at all: .685 / .773. Of no use beside a deviation of a tenth: dropout
 * .3 (.663) and .6 (.663), hybrid weight 1 (.672), temperature .2 (.670), rate .003 (.680), weight
 * decay 1 (.672). With the schedule below and pseudo seeds, after 300 epochs: .787 / .843 where
 * they are accepted every 50 epochs, .833 / .878 every 20. Without pseudo seeds 100 epochs are
 * enough, and more of them lose again.
 */
const dbp15kCorrected: DeepPartial<IbmeaConfig> = {
  model: { initialScale: 0.1 },
  loss: { graphBeta: 1e-4, relationBeta: 1e-4, attributeBeta: 1e-4 },
  training: { epochs: 300, warmup: 10, horizon: 375 },
  pseudoSeeds: { accept: 20 },
};

/** The data sets' settings; `modeValues` are applied on top in that mode. */
export const presets = {
  dbp15k: {
    description: 'DBP15K and SRPRS 15K pairs: 30 % seeds, 1000 epochs (corrected: 300)',
    values: { data: { seedShare: 0.3 }, training: { epochs: 1000 } },
    modeValues: { corrected: dbp15kCorrected },
  },
  'fb15k-db15k': {
    description: 'FB15K-DB15K: 20 % seeds, 500 epochs',
    values: fb15k,
    modeValues: { official: fb15kOfficial },
  },
  'fb15k-yago15k': {
    description: 'FB15K-YAGO15K: 20 % seeds, 500 epochs',
    values: fb15k,
    modeValues: { official: fb15kOfficial },
  },
  quick: {
    description: 'a first result on a small pair: 80 epochs with a short warm-up',
    values: {
      data: { seedShare: 0.3 },
      training: { epochs: 80, warmup: 10, horizon: 100 },
      evaluation: { every: 20 },
    },
  },
  own: {
    description: 'your own graphs: all given links are seeds, a fifth of them validates',
    values: {
      data: { seedShare: 1, validationShare: 0.2 },
      training: { epochs: 200, warmup: 20, horizon: 220 },
      evaluation: { candidates: 'all', every: 20, select: 'validation' },
    },
  },
} satisfies Record<
  string,
  {
    description: string;
    values: DeepPartial<IbmeaConfig>;
    modeValues?: Record<string, DeepPartial<IbmeaConfig>>;
  }
>;
