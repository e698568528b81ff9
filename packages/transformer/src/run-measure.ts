/**
 * How long parts of a run take, measured on two of the blocks.
 */
import { tf, writeColumns } from '@lab/tensor';
import type { Hook } from './hooks.js';
import { tokensTogether } from './logits-in-parts.js';
import type { ForwardInput, Model } from './model.js';
import { outputParts } from './output-parts.js';
import { type BatchShape, outputRows, type RunOutline } from './run-outline.js';

/** What was measured, in seconds. */
export interface Measured {
  /** The largest batch, or so much of it as is measured. */
  readonly shape: BatchShape;
  /** Reading the weights of a block, and bringing them onto the backend. */
  readonly reading: number;
  /** A block whose weights are there. */
  readonly block: number;
  /** Of that what heads take to mix tokens; null where texts are measured in their length. */
  readonly mixing: number | null;
  /** A block whose weights are read while the one before it computes. */
  readonly streamedBlock: number;
  /** The output of the whole of the largest batch, its weights read strip by strip. */
  readonly output: number;
  /** What reading these weights takes. */
  readonly outputReading: number;
}

/**
 * Most tokens that are measured: more would take a good part of the run itself, in products that
 * nothing can end between two turns of the event loop.
 */
const MOST_TOKENS = 2048;

/** Backends whose operations are done when they return: what lies between two places has a time. */
const SYNCHRONOUS = ['cpu', 'tensorflow', 'wasm'];

/** The largest batch, or so much of it as is measured: fewer texts, or the begin of one. */
export function measuredShape({ batchSize, length }: BatchShape): BatchShape {
  const own = Math.min(length, MOST_TOKENS);
  return {
    batchSize: Math.max(Math.min(batchSize, Math.floor(MOST_TOKENS / own)), 1),
    length: own,
  };
}

/** Times two of the blocks and a part of the output on the backend in use. */
export async function measure(model: Model, outline: RunOutline): Promise<Measured> {
  const { layerCount, width } = model.architecture;
  const { signal } = outline;
  const largest = largestOf(outline);
  const shape = measuredShape(largest);
  const reading = await blockReading(model);
  signal?.throwIfAborted();
  const outputReading = await secondsOfOutput(model, 1);
  const residual = tf.randomNormal<tf.Rank.R3>([shape.batchSize, shape.length, width]);
  const timed = (startBlock: number, hooks: readonly Hook[] = []) => {
    const part = { residual, startBlock, stopBlock: startBlock + 1 };
    return secondsOfPass(model, { ...part, hooks, signal });
  };
  try {
    // The first pass compiles and grows memory; a second over the same block shows its time.
    await timed(0);
    const block = await timed(0);
    const isCut = shape.length < largest.length && SYNCHRONOUS.includes(tf.getBackend());
    const mixing = isCut ? await secondsOfMixing((hook) => timed(0, [hook])) : null;
    const streamed = layerCount > 2 ? [await timed(1), await timed(2)] : [block];
    signal?.throwIfAborted();
    const output = await secondsOfOutput(model, outputRows(largest, outline));
    const streamedBlock = streamed.at(-1)!;
    return { shape, reading, block, mixing, streamedBlock, output, outputReading };
  } finally {
    residual.dispose();
  }
}

/** The batch of most tokens. */
export const largestOf = ({ batches }: Pick<RunOutline, 'batches'>): BatchShape =>
  batches.reduce((most, one) =>
    one.batchSize * one.length > most.batchSize * most.length ? one : most,
  );

/** Seconds between the last of queries, keys and values and what heads make of them. */
async function secondsOfMixing(pass: (hook: Hook) => Promise<unknown>): Promise<number> {
  let [began, seconds] = [0, 0];
  await pass({
    names: /\.attn\.hook_(q|k|v|rot_q|rot_k|z)$/,
    run: (_, { name }) => {
      if (name.endsWith('_z')) seconds = now() - began;
      else began = now();
    },
  });
  return seconds;
}

const now = () => performance.now() / 1000;

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

interface PassPart extends Pick<ForwardInput, 'hooks' | 'signal'> {
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
