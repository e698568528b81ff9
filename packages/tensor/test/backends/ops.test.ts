import { test } from 'vitest';
import { describeBackends } from './backends.js';
import { ELEMENTWISE_OPS } from './elementwise-ops.js';
import { GRAPH_OPS } from './graph-ops.js';
import { LOSS_OPS } from './loss-ops.js';
import { MATRIX_OPS } from './matrix-ops.js';
import { NETWORK_OPS } from './network-ops.js';
import { checkOp, type OpCase } from './op-case.js';

const OPS: readonly OpCase[] = [
  ...[...ELEMENTWISE_OPS, ...MATRIX_OPS, ...GRAPH_OPS],
  ...[...LOSS_OPS, ...NETWORK_OPS],
];

describeBackends('values and gradients', ({ takesLargeSizes }) => {
  const fitting = OPS.filter((op) => takesLargeSizes || op.isLarge !== true);
  test.each(fitting.map((op) => [op.name, op] as const))('%s', (_, op) => checkOp(op));
});
