export { type GradientCheckOptions, checkGradient } from './testing/gradient.js';
export { expectNoLeak } from './testing/leak.js';
