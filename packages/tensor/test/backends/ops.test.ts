import { test } from 'vitest';
import { describeBackends } from './backends.js';
import { checkOp } from './op-case.js';
import { OPS } from './ops.js';

describeBackends('values and gradients', ({ takesLargeSizes }) => {
  const fitting = OPS.filter((op) => takesLargeSizes || op.isLarge !== true);
  test.each(fitting.map((op) => [op.name, op] as const))('%s', (_, op) => checkOp(op));
});
