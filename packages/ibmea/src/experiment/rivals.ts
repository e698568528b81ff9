/**
 * Settings that are compared under the same faults.
 */
import type { Rival } from '@lab/alignment';

/** The same model without any bottleneck: plain encoders, as MCLEA has them. */
export const plain = { 'model.bottlenecks': [] };

/** Settings that are compared where data are few or faulty. */
export const rivals: readonly [Rival, Rival] = [
  { series: 'bottlenecks', set: {} },
  { series: 'plain encoders (MCLEA)', set: plain },
];

/** Kinds of fusion, and the graph without any. */
export const fusionRivals: readonly [Rival, Rival, Rival, Rival] = [
  { series: 'one weight per modality', set: { 'model.fusion': 'weighted' } },
  { series: 'weights by variance', set: { 'model.fusion': 'variance' } },
  { series: 'attention', set: { 'model.fusion': 'attention' } },
  { series: 'graph alone', set: { 'data.modalities': ['graph'] } },
];
