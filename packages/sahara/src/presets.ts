import type { DeepPartial, Preset } from '@lab/core';
import type { Config } from './config.js';

/**
 * What each mode changes against the defaults. Official: queries times 1e-5, probabilities in
 * float32 to which 1e-12 is added, and a group of one head.
 */
export const modeValues: Record<string, DeepPartial<Config>> = {
  corrected: {},
  official: {
    prompts: { format: 'official-query' },
    ablation: { kind: 'scale', site: 'q', eps: 1e-5 },
    scores: { numerics: 'official' },
    search: { size: 1 },
  },
};

/** Ablations of the paper. */
export const presets: Record<string, Preset<Config>> = {
  undifferentiated: {
    description: 'Undifferentiated Attention (eq. 7): an even pattern',
    values: { ablation: { kind: 'uniform' } },
    modeValues: { official: { ablation: { kind: 'scale', site: 'q' } } },
  },
  scaling: {
    description: 'Scaling Contribution (eq. 8): what heads give times 1e-5',
    values: { ablation: { kind: 'scale', site: 'z', eps: 1e-5 } },
  },
  mean: {
    description: 'queries as the mean over the heads of their layer (section 5.3)',
    values: { ablation: { kind: 'mean', site: 'q' } },
  },
  'data-set': {
    description: 'scores over a data set, in the spelling of the released code where official',
    values: {},
    modeValues: { official: { prompts: { format: 'official-dataset' } } },
  },
};
