/**
 * What a run will take, before it begins: time measured on two of the blocks, memory counted.
 */
import { tf, writeColumns } from '@lab/tensor';
import type { Architecture } from './architecture.js';
import { loadModel } from './load-model.js';
import { tokensTogether } from './logits-in-parts.js';
import type { Model } from './model.js';
import { outputParts } from './output-parts.js';
import { peakBytes } from './run-memory.js';
import {
  type BatchShape,
  blockOperations,
  outlineOperations,
  outlineReadBytes,
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
 * Two blocks are run on the largest batch: what their weights and their products take is measured
 * so; other batches follow by their operations. Memory is counted from shapes.
 *
 * @throws {ModelError} as {@link loadModel}.
 * @throws {ConfigError} where weights do not fit `budgetBytes`.
 */
export async function estimateRun(path: string, outline: RunOutline): Promise<RunEstimate> {
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

/** Seconds that were measured on the largest batch. */
interface Measured {
  readonly largest: BatchShape;
  /** Reading the weights of a block, and bringing them onto the backend. */
  readonly reading: number;
  /** A block whose weights are there. */
  readonly block: number;
  /** A block whose weights are read while the one before it computes. */
  readonly streamedBlock: number;
  /** The output of the largest batch, its weights read strip by strip. */
  readonly output: number;
  /** What reading these weights takes. */
  readonly outputReading: number;
}

async function measure(model: Model, outline: RunOutline): Promise<Measured> {
  const { layerCount, width } = model.architecture;
  const largest = outline.batches.reduce((most, one) =>
    one.batchSize * one.length > most.batchSize * most.length ? one : most,
  );
  const { batchSize, length } = largest;
  const [reading, outputReading] = [await blockReading(model), await secondsOfOutput(model, 1)];
  const residual = tf.randomNormal<tf.Rank.R3>([batchSize, length, width]);
  const timed = (startBlock: number) => {
    return secondsOfPass(model, { residual, startBlock, stopBlock: startBlock + 1 });
  };
  try {
    // The first pass compiles and grows memory; a second over the same block shows its time.
    await timed(0);
    const block = await timed(0);
    const streamed = layerCount > 2 ? [await timed(1), await timed(2)] : [block];
    const output = await secondsOfOutput(model, outputRows(largest, outline));
    const streamedBlock = streamed.at(-1)!;
    return { largest, reading, block, streamedBlock, output, outputReading };
  } finally {
    residual.dispose();
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

/** Seconds that the weights of a block take until they are on the backend. */
async function blockReading({ architecture, parts }: Model): Promise<number> {
  const secondsOfBlock = async (index: number) => {
    const began = now();
    await parts.blocks.use(index, () => undefined);
    return now() - began;
  };
  // The last one first: none is read ahead behind it. It is there to warm what reads.
  const cold = await secondsOfBlock(architecture.layerCount - 1);
  return architecture.layerCount > 1 ? secondsOfBlock(0) : cold;
}

/** Parts of the vocabulary that are measured. */
const MOST_PARTS = 3;

/** Seconds that logits of some rows take, the weights read strip by strip. */
async function secondsOfOutput(model: Model, rowCount: number): Promise<number> {
  if (rowCount === 0) return 0;
  const { width, vocabularySize } = model.architecture;
  const rows = tf.randomNormal<tf.Rank.R2>([rowCount, width]);
  const parts: { readonly seconds: number; readonly tokens: number }[] = [];
  try {
    let began = now();
    for await (const { logits } of outputParts(model, rows, tokensTogether(rowCount))) {
      const columnCount = logits.shape[1];
      const values = new Float32Array(logits.size);
      await writeColumns({ rowCount, columnCount, values }, 0, logits);
      parts.push({ seconds: now() - began, tokens: columnCount });
      if (parts.length === MOST_PARTS) break;
      began = now();
    }
  } finally {
    rows.dispose();
  }
  // The first part compiles and grows memory.
  const later = parts.length > 1 ? parts.slice(1) : parts;
  const [seconds, tokens] = [sum(later, (part) => part.seconds), sum(later, (part) => part.tokens)];
  return (seconds / tokens) * vocabularySize;
}

const sum = <T>(list: readonly T[], of: (one: T) => number): number =>
  list.reduce((total, one) => total + of(one), 0);

interface PassPart {
  readonly residual: tf.Tensor3D;
  readonly startBlock: number;
  readonly stopBlock: number;
}

async function secondsOfPass(model: Model, part: PassPart): Promise<number> {
  const [texts, tokens] = part.residual.shape;
  const ids = Array.from({ length: texts }, () => new Int32Array(tokens));
  const began = now();
  const result = await model.forward({ ids, ...part, logits: 'none' });
  await result.residual.data();
  result.dispose();
  return now() - began;
}

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
  const { largest, streamedBlock, block, reading, output, outputReading } = measured;
  const { batches, stopBlock = architecture.layerCount, outputs = 1 } = outline;
  const share = (of: (shape: BatchShape) => number) => sum(batches, of) / Math.max(of(largest), 1);
  const blocks = share((shape) => blockOperations(architecture, shape)) * stopBlock * block;
  const ends = outputs * share((shape) => outputRows(shape, outline)) * output;
  if (residency === 'resident') {
    const apart = (sizes.placed - sizes.blocks.placed) / outputPlaced(architecture, sizes);
    const read = architecture.layerCount * reading + apart * outputReading;
    const loadSeconds = read + sizes.placed * secondsOfNewByte();
    return { loadSeconds, runSeconds: blocks + ends };
  }
  const passes = passCount(outline);
  const waits = passes * stopBlock * Math.max(streamedBlock - block, 0);
  // What is held was read once.
  const readings = residency === 'host' ? 1 : passes;
  return { loadSeconds: 0, runSeconds: readings * reading + blocks + waits + ends };
}

/** Bytes of the output's matrix on the backend, about: all but blocks, where one is tied. */
function outputPlaced(
  { isTied }: Pick<Architecture, 'isTied'>,
  { placed, blocks }: WeightSizes,
): number {
  return Math.max((placed - blocks.placed) / (isTied ? 1 : 2), 1);
}
