/**
 * Settings by mode and by network: the paper's own, cheaper ones, and every baseline.
 *
 * Mode `official` is the released code (AlibabaResearch/DAMO-ConvAI, folder WideDeep) with its
 * behaviour.
 */
import type { DeepPartial } from '@lab/core';
import type { WidedeepConfig } from './config.js';

/** What mode `official` changes against the defaults (which are mode `corrected`). */
export const modeValues: Record<string, DeepPartial<WidedeepConfig>> = {
  corrected: {},
  official: {
    roles: { max: null, attempts: 10, mergeDuplicates: false },
    network: { connectivity: 'window', window: 1 },
    judge: { parseAttempts: 10, failed: 'zero' },
    aggregation: { epsilon: 1e-5 },
  },
};

/** One layer of judges without roles, as FairEval has them. */
const flat: DeepPartial<WidedeepConfig> = {
  roles: { kind: 'none' },
  network: { layers: 1, width: 1, bothOrders: false },
};
const flatWith = (width: number, bothOrders: boolean): DeepPartial<WidedeepConfig> => ({
  ...flat,
  network: { layers: 1, width, bothOrders },
});
const rule = (kind: WidedeepConfig['judge']['kind']): DeepPartial<WidedeepConfig> => ({
  ...flat,
  judge: { kind },
});

/** The networks of the package by name. */
export const presets = {
  widedeep: {
    description: 'the network of the paper: generated roles, two layers, both orders',
    values: {},
  },
  cheap: {
    description: 'two roles, no discussion where all agree: 5 to 9 calls of a pair, not 21',
    values: { roles: { kind: 'limited' }, network: { earlyStop: true } },
  },
  single: { description: 'baseline: one call, one order, no role', values: flat },
  mec: {
    description: 'baseline: three samples of one judge, averaged (FairEval)',
    values: flatWith(3, false),
  },
  'mec+bpc': {
    description: 'baseline: three samples of one judge in both orders (FairEval)',
    values: flatWith(3, true),
  },
  hitl: {
    description: 'baseline: mec+bpc, the least certain fifth decided by people (FairEval)',
    values: { ...flatWith(3, true), evaluation: { human: 0.2 } },
  },
  'wide-narrow': {
    description: 'ablation of roles: five judges alike, two layers',
    values: { roles: { kind: 'none' }, network: { width: 5 } },
  },
  'deep-only': {
    description: 'ablation of width: two roles, four layers',
    values: { roles: { kind: 'limited' }, network: { layers: 4 } },
  },
  length: { description: 'floor: the longer answer', values: rule('longer') },
  'always-1': { description: 'floor: the first answer', values: rule('always-1') },
  'always-2': { description: 'floor: the second answer', values: rule('always-2') },
} satisfies Record<string, { description: string; values: DeepPartial<WidedeepConfig> }>;

/** The presets that are baselines, in the order of tables. */
export const baselines = [
  'single',
  'mec',
  'mec+bpc',
  'hitl',
  'wide-narrow',
  'deep-only',
  'length',
  'always-1',
  'always-2',
] as const satisfies readonly (keyof typeof presets)[];
