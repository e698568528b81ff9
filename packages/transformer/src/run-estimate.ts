/**
 * What a run will take, before it begins: time measured on two of the blocks, memory counted.
 */
import { tf } from '@lab/tensor';
import type { Architecture } from './architecture.js';
import { loadModel } from './load-model.js';
import type { Model } from './model.js';
import { type Checkpoint, checkpointFolder, openCheckpoint } from './weights/checkpoint.js';
import {
  backendBytes,
  chosenResidency,
  type LoadModelOptions,
  type Residency,
} from './weights/residency.js';

/** A batch of texts by its size. */
export interface BatchShape {
  readonly batchSize: number;
  /** Tokens of each text. */
  readonly length: number;
}

/** What is to be run. */
export interface RunOutline extends LoadModelOptions {
  /** Batches that go through the model block by block, as {@link hiddenStates} takes them. */
  readonly batches: readonly BatchShape[];
  /** Logits of all tokens, of the last of each text, or none. Default `all`. */
  readonly logits?: 'all' | 'last' | 'none' | undefined;
}

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
 * Two blocks are run on the largest batch: what their weights and their products take is measured
 * so; other batches follow by their operations. Memory is counted from shapes.
 *
 * @throws {ModelError} as {@link loadModel}.
 */
export async function estimateRun(path: string, outline: RunOutline): Promise<RunEstimate> {
  const files = openCheckpoint(checkpointFolder(path));
  const model = await loadModel(path, { residency: 'streamed' });
  try {
    const residency = chosenResidency(files, outline);
    const measured = await measure(model, outline);
    const sizes = sizesOf(files, model.architecture);
    return {
      residency,
      ...secondsOf(residency, { measured, sizes, architecture: model.architecture, outline }),
      operations: outline.batches.reduce(
        (sum, shape) => sum + operationsOf(model.architecture, shape, outline.logits),
        0,
      ),
      peakBytes: peakOf(residency, { sizes, architecture: model.architecture, outline }),
      readBytes: files.sizeBytes,
    };
  } finally {
    files.close();
    model.dispose();
  }
}

/** Bytes of weights, as stored and on the backend. */
interface WeightSizes {
  readonly stored: number;
  readonly placed: number;
  readonly storedBlock: number;
  readonly placedBlock: number;
}

function sizesOf(files: Checkpoint, { layerCount }: Architecture): WeightSizes {
  // Blocks are alike: what has a number in its name belongs to one.
  const inBlocks = [...files.weights].filter(([name]) => /(^|\.)\d+\./.test(name));
  const weights = new Map(inBlocks);
  const bytesOf = (dtype: string) => ({ float32: 4, float64: 8 })[dtype] ?? 2;
  const stored = inBlocks.reduce(
    (sum, [, { shape, dtype }]) => sum + shape.reduce((all, size) => all * size, bytesOf(dtype)),
    0,
  );
  return {
    stored: files.sizeBytes,
    placed: backendBytes(files),
    storedBlock: stored / layerCount,
    placedBlock: backendBytes({ weights }) / layerCount,
  };
}

/** Operations of one block on a batch: products with weights, then scores and their sums. */
function blockOperations(architecture: Architecture, { batchSize, length }: BatchShape): number {
  const { width, headCount, keyValueHeadCount, headWidth, mlpWidth, isGated } = architecture;
  const heads = (2 * headCount + 2 * keyValueHeadCount) * headWidth;
  const weights = width * heads + (isGated ? 3 : 2) * width * mlpWidth;
  const tokens = batchSize * length;
  return 2 * tokens * weights + 4 * tokens * length * headCount * headWidth;
}

function outputOperations(
  { width, vocabularySize }: Architecture,
  { batchSize, length }: BatchShape,
  logits: RunOutline['logits'] = 'all',
): number {
  const rows = logits === 'none' ? 0 : logits === 'last' ? batchSize : batchSize * length;
  return 2 * rows * width * vocabularySize;
}

/** Multiplications and additions of a pass over a batch. */
export function operationsOf(
  architecture: Architecture,
  shape: BatchShape,
  logits: RunOutline['logits'] = 'all',
): number {
  const blocks = architecture.layerCount * blockOperations(architecture, shape);
  return blocks + outputOperations(architecture, shape, logits);
}

/** Seconds that were measured on the largest batch. */
interface Measured {
  readonly largest: BatchShape;
  /** A block whose weights are read while the one before it computes. */
  readonly streamedBlock: number;
  /** A block whose weights are there. */
  readonly block: number;
  /** Reading the weights of a block, and bringing them onto the backend. */
  readonly reading: number;
  readonly output: number;
}

async function measure(model: Model, { batches, logits = 'all' }: RunOutline): Promise<Measured> {
  const { layerCount, width } = model.architecture;
  const largest = batches.reduce((most, one) =>
    one.batchSize * one.length > most.batchSize * most.length ? one : most,
  );
  const ids = Array.from({ length: largest.batchSize }, () => new Int32Array(largest.length));
  const residual = tf.randomNormal<tf.Rank.R3>([largest.batchSize, largest.length, width]);
  const timed = async (startBlock: number, wanted: RunOutline['logits'] = 'none') => {
    const stopBlock = startBlock === layerCount ? startBlock : startBlock + 1;
    const began = performance.now();
    const result = await model.forward({ ids, residual, startBlock, stopBlock, logits: wanted });
    await (result.logits ?? result.residual).data();
    result.dispose();
    return (performance.now() - began) / 1000;
  };
  try {
    const second = Math.min(1, layerCount - 1);
    const first = await timed(0);
    const streamedBlock = await timed(second);
    const block = await timed(second);
    const output = logits === 'none' ? 0 : await timed(layerCount, logits);
    return { largest, streamedBlock, block, reading: Math.max(first - block, 0), output };
  } finally {
    residual.dispose();
  }
}

interface Given {
  readonly architecture: Architecture;
  readonly sizes: WeightSizes;
  readonly outline: RunOutline;
}

function secondsOf(
  residency: Residency,
  { measured, sizes, architecture, outline }: Given & { readonly measured: Measured },
): Pick<RunEstimate, 'loadSeconds' | 'runSeconds'> {
  const { layerCount } = architecture;
  const { largest, streamedBlock, block, reading, output } = measured;
  const { batches, logits } = outline;
  const share = (of: (shape: BatchShape) => number) =>
    batches.reduce((sum, shape) => sum + of(shape), 0) / Math.max(of(largest), 1);
  const blocks = share((shape) => blockOperations(architecture, shape)) * layerCount * block;
  const outputs = share((shape) => outputOperations(architecture, shape, logits)) * output;
  const perByte = reading / sizes.storedBlock;
  if (residency === 'resident') {
    // The output was measured with its weights read strip by strip.
    const vocabulary = sizes.stored - layerCount * sizes.storedBlock;
    const readAgain = output === 0 ? 0 : perByte * vocabulary * batches.length;
    return {
      loadSeconds: perByte * sizes.stored,
      runSeconds: blocks + Math.max(outputs - readAgain, 0.5 * outputs),
    };
  }
  const waits = layerCount * Math.max(streamedBlock - block, 0);
  return { loadSeconds: 0, runSeconds: reading + blocks + waits + outputs };
}

/** Bytes of the arrays that are there together at most, weights and values. */
function peakOf(residency: Residency, { sizes, architecture, outline }: Given): number {
  const { batches, logits = 'all' } = outline;
  const { width, layerCount, vocabularySize } = architecture;
  const largest = Math.max(...batches.map((shape) => activationFloats(architecture, shape)));
  const outputs = batches.map(({ batchSize, length }) => {
    const rows = logits === 'none' ? 0 : logits === 'last' ? batchSize : batchSize * length;
    return rows * (vocabularySize + width);
  });
  const tokens = batches.reduce((sum, { batchSize, length }) => sum + batchSize * length, 0);
  // On the backend, and once more in the host's memory.
  const values = 4 * (Math.max(largest, 2 * Math.max(...outputs)) + 2 * tokens * width);
  if (residency === 'resident') return sizes.placed + sizes.storedBlock + values;
  const held = residency === 'host' ? sizes.stored : 2 * sizes.storedBlock;
  return held + sizes.placedBlock + values + (layerCount === 0 ? 0 : sizes.storedBlock / 4);
}

/** Numbers that a block's arrays have at the peak: those of its attention or of its MLP. */
function activationFloats(architecture: Architecture, { batchSize, length }: BatchShape): number {
  const { width, headCount, keyValueHeadCount, headWidth, mlpWidth, isGated } = architecture;
  const { scoreCap, positions, blocks } = architecture;
  const tokens = batchSize * length;
  const isApart =
    scoreCap !== null || positions.kind === 'alibi' || blocks.some(({ window }) => window !== null);
  const scores = isApart ? 4 * headCount * length : 0;
  const attention = (5 * headCount + 5 * keyValueHeadCount) * headWidth + 2 * width + scores;
  const mlp = (isGated ? 4 : 2) * mlpWidth + 2 * width;
  return tokens * (4 * width + Math.max(attention, mlp));
}
