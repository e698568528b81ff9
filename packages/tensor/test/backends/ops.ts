import { ELEMENTWISE_OPS } from './elementwise-ops.js';
import { GRAPH_OPS } from './graph-ops.js';
import { LOSS_OPS } from './loss-ops.js';
import { MATRIX_OPS } from './matrix-ops.js';
import { NETWORK_OPS } from './network-ops.js';
import type { OpCase } from './op-case.js';

/** All operations with their twins. */
export const OPS: readonly OpCase[] = [
  ...[...ELEMENTWISE_OPS, ...MATRIX_OPS, ...GRAPH_OPS],
  ...[...LOSS_OPS, ...NETWORK_OPS],
];
