/**
 * Settings by mode and by data set.
 *
 * Mode `official` is the released script (sutaoyu/LoginMEA, commit 888bdd1) with its behaviour;
 * mode `corrected` takes the supplement's learning rate and length, and starts the optimiser anew
 * once. The script has one set of values for all data sets; `own` is for graphs that no paper has
 * tuned.
 */
import type { DeepPartial } from '@lab/core';
import type { LoginmeaConfig } from './config.js';

/** What mode `official` changes against the defaults (which are mode `corrected`). */
export const modeValues: Record<string, DeepPartial<LoginmeaConfig>> = {
  corrected: {},
  official: {
    data: { duplicateTriples: 'keep', missingImages: 'random' },
    training: { epochs: 1000, learningRate: 5e-4, optimizerReset: 'every-epoch' },
    evaluation: { select: 'test-oracle', scores: 'fused' },
  },
};

const fewSeeds: DeepPartial<LoginmeaConfig> = { data: { seedShare: 0.2 } };

/** The data sets' settings; `modeValues` are applied on top in that mode. */
export const presets = {
  dbp15k: {
    description: 'DBP15K and SRPRS 15K pairs: 30 % seeds, 600 epochs (official: 1000)',
    values: { data: { seedShare: 0.3 } },
  },
  'fb15k-db15k': { description: 'FB15K-DB15K: 20 % seeds', values: fewSeeds },
  'fb15k-yago15k': { description: 'FB15K-YAGO15K: 20 % seeds', values: fewSeeds },
  quick: {
    description: 'a first result on a small pair: 60 epochs',
    values: {
      data: { seedShare: 0.3 },
      training: { epochs: 60, learningRate: 0.005 },
      evaluation: { every: 20 },
    },
  },
  large: {
    description: 'graphs of 100,000 entities and more: vectors of 100 numbers, 20 epochs',
    values: {
      data: { seedShare: 0.3 },
      model: { size: 100 },
      training: { epochs: 20 },
      evaluation: { every: 20 },
    },
  },
  own: {
    description: 'your own graphs: all given links are seeds, a fifth of them validates',
    values: {
      data: { seedShare: 1, validationShare: 0.2 },
      training: { epochs: 100, learningRate: 0.005, patience: 3 },
      evaluation: { candidates: 'all', every: 10, select: 'validation' },
    },
  },
} satisfies Record<
  string,
  {
    description: string;
    values: DeepPartial<LoginmeaConfig>;
    modeValues?: Record<string, DeepPartial<LoginmeaConfig>>;
  }
>;
