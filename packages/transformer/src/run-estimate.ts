/**
 * What a run will take, before it begins: time measured on two of the blocks, memory counted.
 */
import { tf } from '@lab/tensor';
import type { Architecture } from './architecture.js';
import { loadModel } from './load-model.js';
import { tokensAtOnce } from './logits-in-parts.js';
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

/** Tokens that logits are made of. */
function outputRows(
  { batchSize, length }: BatchShape,
  logits: RunOutline['logits'] = 'all',
): number {
  return logits === 'none' ? 0 : logits === 'last' ? batchSize : batchSize * length;
}

/** Multiplications and additions of a pass over a batch. */
export function operationsOf(
  architecture: Architecture,
  shape: BatchShape,
  logits: RunOutline['logits'] = 'all',
): number {
  const { layerCount, width, vocabularySize } = architecture;
  const output = 2 * outputRows(shape, logits) * width * vocabularySize;
  return layerCount * blockOperations(architecture, shape) + output;
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
  /** The output of `outputRows` tokens. */
  readonly output: number;
  readonly outputRows: number;
}

async function measure(model: Model, { batches, logits = 'all' }: RunOutline): Promise<Measured> {
  const { layerCount, width, vocabularySize } = model.architecture;
  const largest = batches.reduce((most, one) =>
    one.batchSize * one.length > most.batchSize * most.length ? one : most,
  );
  const { batchSize, length } = largest;
  const residual = tf.randomNormal<tf.Rank.R3>([batchSize, length, width]);
  const timed = async (startBlock: number, count = batchSize * length) => {
    const isOutput = startBlock === layerCount;
    const rows = isOutput ? firstRows(residual, count) : tf.clone(residual);
    const [texts, tokens] = rows.shape;
    const ids = Array.from({ length: texts }, () => new Int32Array(tokens));
    const given = { ids, residual: rows, startBlock, logits: isOutput ? 'all' : 'none' } as const;
    const began = performance.now();
    try {
      const result = await model.forward({ ...given, stopBlock: startBlock + (isOutput ? 0 : 1) });
      await (result.logits ?? result.residual).data();
      result.dispose();
      return (performance.now() - began) / 1000;
    } finally {
      rows.dispose();
    }
  };
  try {
    const second = Math.min(1, layerCount - 1);
    const first = await timed(0);
    const streamedBlock = await timed(second);
    const block = await timed(second);
    const all = logits === 'last' ? batchSize : batchSize * length;
    const outputRows = Math.min(all, tokensAtOnce(vocabularySize));
    const output = logits === 'none' ? 0 : await timed(layerCount, outputRows);
    const reading = Math.max(first - block, 0);
    return { largest, streamedBlock, block, reading, output, outputRows };
  } finally {
    residual.dispose();
  }
}

/** The first tokens of a residual as one text. */
const firstRows = (residual: tf.Tensor3D, count: number): tf.Tensor3D =>
  tf.tidy(() => {
    const width = residual.shape[2];
    const rows = tf.slice(tf.reshape(residual, [-1, width]), [0, 0], [count, width]);
    return tf.reshape(rows, [1, count, width]);
  });

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
  const rows = batches.reduce((sum, shape) => sum + outputRows(shape, logits), 0);
  const parts = rows / Math.max(measured.outputRows, 1);
  const perByte = reading / sizes.storedBlock;
  if (residency === 'resident') {
    // The output was measured with its weights read strip by strip.
    const readAgain = perByte * (sizes.stored - layerCount * sizes.storedBlock);
    return {
      loadSeconds: perByte * sizes.stored,
      runSeconds: blocks + parts * Math.max(output - readAgain, output / 2),
    };
  }
  const waits = layerCount * Math.max(streamedBlock - block, 0);
  return { loadSeconds: 0, runSeconds: reading + blocks + waits + parts * output };
}

/** Bytes of the arrays that are there together at most, weights and values. */
function peakOf(residency: Residency, { sizes, architecture, outline }: Given): number {
  const { batches, logits } = outline;
  const { width, vocabularySize } = architecture;
  const sum = (of: (shape: BatchShape) => number) =>
    batches.reduce((total, shape) => total + of(shape), 0);
  const blocks = Math.max(...batches.map((shape) => activationFloats(architecture, shape)));
  const rows = Math.max(...batches.map((shape) => outputRows(shape, logits)));
  const together = Math.min(rows, tokensAtOnce(vocabularySize)) * (vocabularySize + width);
  const isRead = residency !== 'resident';
  // Strips of logits and their whole on the backend, and a copy in the host's memory.
  const output = (isRead ? 3 : 2) * together;
  // What a pass gives stays in the host's memory, and residuals between the blocks.
  const kept = sum((shape) => outputRows(shape, logits)) * vocabularySize;
  const residuals = 2 * sum(({ batchSize, length }) => batchSize * length) * width;
  const bytes = (numbers: number) => 4 * (numbers + residuals);
  if (!isRead) {
    return sizes.placed + sizes.storedBlock + bytes(Math.max(blocks, output + kept));
  }
  // While a block runs the next one is read; while the output is made, none is.
  const held = residency === 'host' ? sizes.stored : 0;
  const ahead = residency === 'host' ? 0 : sizes.storedBlock;
  const around = held + sizes.placedBlock;
  return around + Math.max(ahead + bytes(blocks), bytes(output + kept));
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
