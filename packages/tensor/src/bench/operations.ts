import { denseOperations } from './dense-operations.js';
import { elementwiseOperations } from './elementwise-operations.js';
import { graphOperations } from './graph-operations.js';
import { halfOperations } from './half-operations.js';
import { limitOperations } from './limit-operations.js';
import type { BenchOperation } from './operation.js';
import { rowOperations } from './row-operations.js';

/** All operations of the bench, in the order in which they run. */
export const benchOperations: readonly BenchOperation[] = [
  ...limitOperations,
  ...denseOperations,
  ...graphOperations,
  ...rowOperations,
  ...halfOperations,
  ...elementwiseOperations,
];
