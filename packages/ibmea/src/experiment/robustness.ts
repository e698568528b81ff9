/**
 * What the kinds of fusion lose where rows are wrong.
 */
import { type AblationGroup, asPercent, faultGroup, faultShares } from '@lab/alignment';
import { fusionRivals } from './rivals.js';

/** Kinds of fusion where rows are wrong, beside the graph alone. */
export const fusionGroup = (): AblationGroup =>
  faultGroup({
    title: 'Fusion of faulty modalities',
    caption: 'A good fusion never ends below the graph alone, whose input has no fault.',
    axis: 'attribute and relation rows of other entities, %',
    group: 'fusion',
    words: 'rows of other entities',
    rivals: fusionRivals,
    values: faultShares,
    fault: (probability) => ({ kind: 'swap-rows', probability }),
    place: asPercent,
  });
