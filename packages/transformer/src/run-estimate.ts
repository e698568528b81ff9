/**
 * What a run will take, before it begins: time measured on two of the blocks, memory counted.
 */
import { checkOptions } from '@lab/core';
import type { Architecture } from './architecture.js';
import { loadModel } from './load-model.js';
import { largestOf, type Measured, measure } from './run-measure.js';
import { peakBytes } from './run-memory.js';
import {
  type BatchShape,
  blockOperations,
  mixingOperations,
  outlineOperations,
  outlineReadBytes,
  outlineSchema,
  outputRows,
  passCount,
  type RunOutline,
} from './run-outline.js';
import { chosenResidency, type Residency } from './weights/residency.js';
import { type WeightSizes, weightSizes } from './weights/weight-sizes.js';

/** What a run is expected to take. */
export interface RunEstimate {
  readonly residency: Residency;
  /** Seconds until the model is loaded. */
  readonly loadSeconds: number;
  /** Seconds of the pass over all batches, loading apart. */
  readonly runSeconds: number;
  /** Multiplications and additions of the pass, counted two for each weight and token. */
  readonly operations: number;
  /** Bytes at the peak beside those that the process has now: backend and host together. */
  readonly peakBytes: number;
  /** Bytes read from the files. */
  readonly readBytes: number;
}

/**
 * Expected time and memory of a pass over batches, on the backend in use.
 *
 * Two blocks are run on the largest batch, of which 2048 tokens at most: what their weights and
 * their products take is measured so; what is left of it, and other batches, follow by their
 * operations. Memory is counted from shapes.
 *
 * @throws {ModelError} as {@link loadModel}.
 * @throws {ConfigError} where weights do not fit `budgetBytes`, and for an option that is not known
 *   or of another kind.
 */
export async function estimateRun(path: string, outline: RunOutline): Promise<RunEstimate> {
  checkOptions('transformer/estimateRun', outline, outlineSchema);
  const model = await loadModel(path, { residency: 'streamed' });
  try {
    const { architecture } = model;
    const { checkpoint } = model.parts;
    const residency = chosenResidency(checkpoint, outline);
    const sizes = weightSizes(checkpoint);
    const given = { architecture, sizes, outline };
    return {
      residency,
      ...secondsOf(residency, { ...given, measured: await measure(model, outline) }),
      operations: outlineOperations(architecture, outline),
      peakBytes: peakBytes(residency, given),
      readBytes: outlineReadBytes(checkpoint, outline),
    };
  } finally {
    model.dispose();
  }
}

const now = () => performance.now() / 1000;

const PROBE_BYTES = 64 * 2 ** 20;

/**
 * Seconds that the system takes to give a byte of memory at its first use. Weights that stay are
 * placed in new memory, those of the blocks that are measured in memory that is used again; in some
 * virtual machines this takes as long as reading them.
 */
function secondsOfNewByte(): number {
  const probe = new Uint8Array(PROBE_BYTES);
  const secondsOfFill = (value: number) => {
    const began = now();
    probe.fill(value);
    return now() - began;
  };
  const [first, second] = [secondsOfFill(1), secondsOfFill(2)];
  return Math.max(first - second, 0) / PROBE_BYTES;
}

const sum = <T>(list: readonly T[], of: (one: T) => number): number =>
  list.reduce((total, one) => total + of(one), 0);

interface Given {
  readonly architecture: Architecture;
  readonly sizes: WeightSizes;
  readonly outline: RunOutline;
  readonly measured: Measured;
}

function secondsOf(
  residency: Residency,
  { measured, sizes, architecture, outline }: Given,
): Pick<RunEstimate, 'loadSeconds' | 'runSeconds'> {
  const { streamedBlock, block, reading, output, outputReading } = measured;
  const { batches, stopBlock = architecture.layerCount, outputs = 1 } = outline;
  const largest = largestOf(outline);
  const blockOf = (shape: BatchShape) => blockSeconds(architecture, measured, shape);
  const blocks = stopBlock * sum(batches, blockOf);
  const rows = (shape: BatchShape) => outputRows(shape, outline);
  const ends = outputs * (sum(batches, rows) / Math.max(rows(largest), 1)) * output;
  if (residency === 'resident') {
    const apart = (sizes.placed - sizes.blocks.placed) / outputPlaced(architecture, sizes);
    const read = architecture.layerCount * reading + apart * outputReading;
    const loadSeconds = read + sizes.placed * secondsOfNewByte();
    return { loadSeconds, runSeconds: blocks + ends };
  }
  const passes = passCount(outline);
  // The more there is to compute, the less is waited for.
  const waits = passes * stopBlock * Math.max(streamedBlock - Math.max(block, blockOf(largest)), 0);
  // What is held was read once.
  const readings = residency === 'host' ? 1 : passes;
  return { loadSeconds: 0, runSeconds: readings * reading + blocks + waits + ends };
}

/**
 * Seconds of a block on a batch, by its operations. Texts longer than those that were measured mix
 * more and more tokens, at a speed of its own.
 */
export function blockSeconds(
  architecture: Architecture,
  { block, mixing, shape: measured }: Pick<Measured, 'block' | 'mixing' | 'shape'>,
  shape: BatchShape,
): number {
  const all = (of: BatchShape) => blockOperations(architecture, of);
  if (mixing === null) return (all(shape) / all(measured)) * block;
  const mixed = (of: BatchShape) => mixingOperations(architecture, of);
  const products = (of: BatchShape) => all(of) - mixed(of);
  return (
    (products(shape) / products(measured)) * (block - mixing) +
    (mixed(shape) / mixed(measured)) * mixing
  );
}

/** Bytes of the output's matrix on the backend, about: all but blocks, where one is tied. */
function outputPlaced(
  { isTied }: Pick<Architecture, 'isTied'>,
  { placed, blocks }: WeightSizes,
): number {
  return Math.max((placed - blocks.placed) / (isTied ? 1 : 2), 1);
}
