import { installTape } from '../tape.js';
import { BINARY_RULES } from './binary.js';
import { ELEMENTWISE_RULES } from './elementwise.js';
import { REDUCTION_RULES } from './reduction.js';
import { registerRule } from './rule.js';
import { SELECTION_RULES } from './selection.js';
import { SHAPE_RULES } from './shape.js';

/**
 * Registers the gradients of the stock operations and the tape that applies them.
 *
 * tfjs-core comes to Node without any gradient. These keep no tensor whose shape alone is needed,
 * and the one of the segment sum is a gather, where the stock one builds broadcast masks.
 */
export function installGradients(): void {
  const rules = [
    ...ELEMENTWISE_RULES,
    ...BINARY_RULES,
    ...REDUCTION_RULES,
    ...SELECTION_RULES,
    ...SHAPE_RULES,
  ];
  for (const rule of rules) registerRule(rule);
  installTape();
}
