/**
 * The weights of a block, and how they are read from a checkpoint.
 */
import { type HalfMatrix, keepsHalf, readHalfMatrix, type tf } from '@lab/tensor';
import type { FamilyModel, FusedOrder } from '../families/family.js';
import type { Checkpoint } from './checkpoint.js';
import { blockPrefix } from './expected-weights.js';
import { pickedRows, type RowRun, type StoredMatrix, transposed } from './stored-numbers.js';
import type { ReadMatrix, WeightMatrix } from './weight-matrix.js';

/** `y = x W^T + b`. */
export interface LinearParts<Matrix, Row> {
  /** `[out, in]`. */
  readonly weight: Matrix;
  readonly bias: Row | null;
}

/** Gain and bias of a norm; the offset of the gain is in it. */
export interface NormParts<Row> {
  readonly gain: Row;
  readonly bias: Row | null;
}

/** The weights of one block. */
export interface BlockParts<Matrix, Row> {
  readonly norm1: NormParts<Row>;
  /** Null where the MLP shares the first. */
  readonly norm2: NormParts<Row> | null;
  readonly postNorm1: NormParts<Row> | null;
  readonly postNorm2: NormParts<Row> | null;
  readonly queryNorm: NormParts<Row> | null;
  readonly keyNorm: NormParts<Row> | null;
  readonly query: LinearParts<Matrix, Row>;
  readonly key: LinearParts<Matrix, Row>;
  readonly value: LinearParts<Matrix, Row>;
  readonly output: LinearParts<Matrix, Row>;
  readonly gate: LinearParts<Matrix, Row> | null;
  readonly up: LinearParts<Matrix, Row>;
  readonly down: LinearParts<Matrix, Row>;
}

/** What is trained beside a matrix that stays: it counts as `W + scale B A`. */
export interface LowRank {
  /** `[r, in]`. */
  readonly a: tf.Tensor2D;
  /** `[out, r]`. */
  readonly b: tf.Tensor2D;
  readonly scale: number;
}

/** On the backend. */
export type Linear = LinearParts<WeightMatrix, tf.Tensor1D> & {
  readonly lowRank?: LowRank | undefined;
};
/** On the backend. */
export type Norm = NormParts<tf.Tensor1D>;
/** On the backend. */
export type BlockWeights = BlockParts<WeightMatrix, tf.Tensor1D>;
/** In the host's memory. */
export type StoredLinear = LinearParts<StoredMatrix, Float32Array>;
/** As it was read. */
export type ReadLinear = LinearParts<ReadMatrix, Float32Array>;
/** In the host's memory. */
export type StoredNorm = NormParts<Float32Array>;
/** As it was read. */
export type StoredBlock = BlockParts<ReadMatrix, Float32Array>;

/** Reads weights by the names of the model. */
export class WeightReader {
  private readonly made: HalfMatrix[] = [];
  private isGivenUp = false;

  constructor(
    private readonly checkpoint: Checkpoint,
    /** Name in the files of each weight. */
    private readonly names: ReadonlyMap<string, string>,
  ) {}

  /** Whether the files have a weight. */
  has(name: string): boolean {
    return this.checkpoint.weights.has(this.fileName(name));
  }

  private fileName(name: string): string {
    return this.names.get(name) ?? name;
  }

  /** Values of a weight. */
  row(name: string): Promise<Float32Array> {
    return this.checkpoint.read(this.fileName(name));
  }

  /** A matrix, or some of its rows. */
  async matrix(name: string, rows?: RowRun): Promise<StoredMatrix> {
    const own = this.fileName(name);
    const [count, columns] = this.checkpoint.weights.get(own)!.shape as [number, number];
    const numbers = await this.checkpoint.readStored(own, rows);
    return { ...numbers, rows: rows?.count ?? count, columns };
  }

  /** A matrix where it is to be used: one of 16 bits on a backend that keeps them is there. */
  async readyMatrix(name: string): Promise<ReadMatrix> {
    const own = this.fileName(name);
    const { shape, dtype } = this.checkpoint.weights.get(own)!;
    const { readInto } = this.checkpoint;
    const isHalf = dtype === 'bfloat16' || dtype === 'float16';
    if (readInto === null || !isHalf || !keepsHalf()) return this.matrix(name);
    const [rows, columns] = shape as [number, number];
    const fill = (target: Uint8Array) => readInto(own, target);
    const matrix = await readHalfMatrix(fill, { rows, columns, dtype });
    if (this.isGivenUp) matrix.dispose();
    else this.made.push(matrix);
    return matrix;
  }

  /** Frees what was read onto the backend, and what still will be. */
  giveUp(): void {
    this.isGivenUp = true;
    for (const matrix of this.made) matrix.dispose();
  }

  /** `NAME.weight`, with `NAME.bias` where there is one. */
  async linear(name: string): Promise<ReadLinear> {
    const [weight, bias] = await Promise.all([this.readyMatrix(`${name}.weight`), this.bias(name)]);
    return { weight, bias };
  }

  /** As `linear`, in the host's memory, with inputs as rows turned. */
  async storedLinear(name: string, isInputMajor: boolean): Promise<StoredLinear> {
    const [stored, bias] = await Promise.all([this.matrix(`${name}.weight`), this.bias(name)]);
    return { weight: isInputMajor ? transposed(stored) : stored, bias };
  }

  private async bias(name: string): Promise<Float32Array | null> {
    return this.has(`${name}.bias`) ? this.row(`${name}.bias`) : null;
  }

  /** A norm, with its bias where there is one. */
  async norm(name: string, gainOffset = 0): Promise<StoredNorm> {
    const [gain, bias] = await Promise.all([this.row(`${name}.weight`), this.bias(name)]);
    return { gain: gainOffset === 0 ? gain : gain.map((value) => value + gainOffset), bias };
  }
}

/** All weights of a block of a decoder; its reads are under way together. */
export async function readBlock(
  model: FamilyModel,
  reader: WeightReader,
  index: number,
): Promise<StoredBlock> {
  const { names, isInputMajor } = model.weights;
  const { gainOffset } = model.architecture.norm;
  const prefix = blockPrefix(model, index);
  const normOf = async (name: string | null) =>
    name === null ? null : reader.norm(`${prefix}${name}`, gainOffset);
  const storedOf = (name: string) => reader.storedLinear(`${prefix}${name}`, isInputMajor);
  const linearOf = (name: string) =>
    isInputMajor ? storedOf(name) : reader.linear(`${prefix}${name}`);
  // All at once: the reads go on while this thread computes, but none begins then.
  const [norms, queryKeyValue, output, gateUp, down] = await Promise.all([
    Promise.all([
      reader.norm(`${prefix}${names.norm1}`, gainOffset),
      normOf(names.norm2),
      normOf(names.postNorm1),
      normOf(names.postNorm2),
      normOf(names.queryNorm),
      normOf(names.keyNorm),
    ]),
    readQueryKeyValue(model, linearOf, storedOf),
    linearOf(names.output),
    readGateUp(model, linearOf, storedOf),
    linearOf(names.down),
  ]);
  const [norm1, norm2, postNorm1, postNorm2, queryNorm, keyNorm] = norms;
  const all = { norm1, norm2, postNorm1, postNorm2, queryNorm, keyNorm };
  return { ...all, ...queryKeyValue, output, ...gateUp, down };
}

type LinearOf = (name: string) => Promise<ReadLinear>;
type StoredOf = (name: string) => Promise<StoredLinear>;

async function readQueryKeyValue(
  { architecture, weights }: FamilyModel,
  linearOf: LinearOf,
  storedOf: StoredOf,
): Promise<Pick<StoredBlock, 'key' | 'query' | 'value'>> {
  const parts = weights.names.queryKeyValue;
  if ('fused' in parts) {
    const all = await storedOf(parts.fused);
    const { query, key, value } = fusedRows(parts.order, architecture);
    return {
      query: pickedOutputs(all, query),
      key: pickedOutputs(all, key),
      value: pickedOutputs(all, value),
    };
  }
  const [query, key, value] = await Promise.all([
    linearOf(parts.query),
    linearOf(parts.key),
    linearOf(parts.value),
  ]);
  return { query, key, value };
}

async function readGateUp(
  { architecture: { mlpWidth }, weights }: FamilyModel,
  linearOf: LinearOf,
  storedOf: StoredOf,
): Promise<Pick<StoredBlock, 'gate' | 'up'>> {
  const parts = weights.names.gateUp;
  if ('fused' in parts) {
    const all = await storedOf(parts.fused);
    const half = (start: number) => pickedOutputs(all, [{ start, count: mlpWidth }]);
    return { gate: half(0), up: half(mlpWidth) };
  }
  const [gate, up] = await Promise.all([
    parts.gate === null ? null : linearOf(parts.gate),
    linearOf(parts.up),
  ]);
  return { gate, up };
}

/** Where a fused matrix has the rows of queries, keys and values. */
export function fusedRows(
  order: FusedOrder,
  sizes: {
    readonly headCount: number;
    readonly keyValueHeadCount: number;
    readonly headWidth: number;
  },
): Readonly<Record<'key' | 'query' | 'value', RowRun[]>> {
  const { headCount, keyValueHeadCount: groups, headWidth } = sizes;
  const [own, one] = [(headCount / groups) * headWidth, headWidth];
  if (order === 'concatenated') {
    const [all, shared] = [headCount * headWidth, groups * headWidth];
    return {
      query: [{ start: 0, count: all }],
      key: [{ start: all, count: shared }],
      value: [{ start: all + shared, count: shared }],
    };
  }
  const runs = (offset: number, count: number) =>
    Array.from({ length: groups }, (_, group) => ({
      start: group * (own + 2 * one) + offset,
      count,
    }));
  return { query: runs(0, own), key: runs(own, one), value: runs(own + one, one) };
}

function pickedOutputs({ weight, bias }: StoredLinear, runs: readonly RowRun[]): StoredLinear {
  const picked = pickedRows(weight, runs);
  if (bias === null) return { weight: picked, bias };
  const own = runs.flatMap(({ start, count }) => [...bias.subarray(start, start + count)]);
  return { weight: picked, bias: Float32Array.from(own) };
}
