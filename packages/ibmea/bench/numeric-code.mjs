// @boundaries-ignore the shared sources are listed once
import { sharedNumericCode, sharedOtherCode } from '../../alignment/bench/numeric-code.mjs';

const own = (names) => names.map((name) => `packages/ibmea/src/${name}.ts`);

/**
 * Sources that decide the numbers of a training; a long check is stale when one of them changes.
 */
export const numericCode = [
  ...own([
    'batch-contrast',
    'bottleneck',
    'config',
    'encoders',
    'encoding',
    'fusion',
    'image-mask',
    'learner',
    'losses',
    'model',
    'model-inputs',
    'noise',
    'presets',
    'step',
  ]),
  ...sharedNumericCode,
];

/** Sources that a training imports and that decide no number of it. */
export const otherCode = [...own(['memory-estimate']), ...sharedOtherCode];
