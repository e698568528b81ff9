/**
 * Weights as tensors: those of a block, and those around the blocks.
 */
import { tf } from '@lab/tensor';
import type { FamilyModel, FusedOrder } from '../families/family.js';
import type { Checkpoint } from './checkpoint.js';
import { blockPrefix } from './expected-weights.js';

/** `y = x W^T + b`. */
export interface Linear {
  /** `[out, in]`. */
  readonly weight: tf.Tensor2D;
  readonly bias: tf.Tensor1D | null;
}

/** Gain and bias of a norm; the offset of the gain is in it. */
export interface Norm {
  readonly gain: tf.Tensor1D;
  readonly bias: tf.Tensor1D | null;
}

/** The weights of one block. */
export interface BlockWeights {
  readonly norm1: Norm;
  /** Null where the MLP shares the first. */
  readonly norm2: Norm | null;
  readonly postNorm1: Norm | null;
  readonly postNorm2: Norm | null;
  readonly queryNorm: Norm | null;
  readonly keyNorm: Norm | null;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  readonly gate: Linear | null;
  readonly up: Linear;
  readonly down: Linear;
}

/** A matrix in the host's memory, `[out, in]`. */
interface HostLinear {
  readonly values: Float32Array;
  readonly outputs: number;
  readonly inputs: number;
  readonly bias: Float32Array | null;
}

/** Reads weights by the names of the model. */
export class WeightReader {
  constructor(
    private readonly model: FamilyModel,
    private readonly checkpoint: Checkpoint,
    /** Name in the files of each weight. */
    private readonly names: ReadonlyMap<string, string>,
  ) {}

  /** Values of a weight. */
  read(name: string): Promise<Float32Array> {
    return this.checkpoint.read(this.names.get(name)!);
  }

  private has(name: string): boolean {
    return this.names.has(name);
  }

  /** The norm before the output. */
  finalNorm(): Promise<Norm> {
    return this.norm(this.model.weights.finalNorm);
  }

  /** A norm by its name. */
  async norm(name: string): Promise<Norm> {
    const { gainOffset, kind } = this.model.architecture.norm;
    const gain = await this.read(`${name}.weight`);
    const bias = kind === 'layer' ? await this.read(`${name}.bias`) : null;
    const shifted = gainOffset === 0 ? gain : gain.map((value) => value + gainOffset);
    return { gain: tf.tensor1d(shifted), bias: bias === null ? null : tf.tensor1d(bias) };
  }

  private async hostLinear(name: string, outputs: number, inputs: number): Promise<HostLinear> {
    const { isInputMajor } = this.model.weights;
    const stored = await this.read(`${name}.weight`);
    const values = isInputMajor ? transposed(stored, inputs, outputs) : stored;
    const bias = this.has(`${name}.bias`) ? await this.read(`${name}.bias`) : null;
    return { values, outputs, inputs, bias };
  }

  /** All weights of a block; the caller disposes them. */
  async block(index: number): Promise<BlockWeights> {
    const { architecture, weights } = this.model;
    const { names } = weights;
    const { width, headCount, headWidth, mlpWidth } = architecture;
    const prefix = blockPrefix(this.model, index);
    const normOf = (name: string | null) => (name === null ? null : this.norm(`${prefix}${name}`));
    const linearOf = async (name: string, outputs: number, inputs: number) =>
      onBackend(await this.hostLinear(`${prefix}${name}`, outputs, inputs));
    return {
      norm1: await this.norm(`${prefix}${names.norm1}`),
      norm2: await normOf(names.norm2),
      postNorm1: await normOf(names.postNorm1),
      postNorm2: await normOf(names.postNorm2),
      queryNorm: await normOf(names.queryNorm),
      keyNorm: await normOf(names.keyNorm),
      ...(await this.queryKeyValue(prefix)),
      output: await linearOf(names.output, width, headCount * headWidth),
      ...(await this.gateUp(prefix)),
      down: await linearOf(names.down, width, mlpWidth),
    };
  }

  private async queryKeyValue(
    prefix: string,
  ): Promise<Pick<BlockWeights, 'key' | 'query' | 'value'>> {
    const { headCount, keyValueHeadCount, headWidth, width } = this.model.architecture;
    const parts = this.model.weights.names.queryKeyValue;
    const [own, shared] = [headCount * headWidth, keyValueHeadCount * headWidth];
    if ('fused' in parts) {
      const all = await this.hostLinear(`${prefix}${parts.fused}`, own + 2 * shared, width);
      const rows = fusedRows(parts.order, { headCount, keyValueHeadCount, headWidth });
      return {
        query: onBackend(pickedRows(all, rows.query)),
        key: onBackend(pickedRows(all, rows.key)),
        value: onBackend(pickedRows(all, rows.value)),
      };
    }
    const linearOf = async (name: string, outputs: number) =>
      onBackend(await this.hostLinear(`${prefix}${name}`, outputs, width));
    return {
      query: await linearOf(parts.query, own),
      key: await linearOf(parts.key, shared),
      value: await linearOf(parts.value, shared),
    };
  }

  private async gateUp(prefix: string): Promise<Pick<BlockWeights, 'gate' | 'up'>> {
    const { mlpWidth, width } = this.model.architecture;
    const parts = this.model.weights.names.gateUp;
    if ('fused' in parts) {
      const all = await this.hostLinear(`${prefix}${parts.fused}`, 2 * mlpWidth, width);
      const half = (start: number) => [{ start, count: mlpWidth }];
      return {
        gate: onBackend(pickedRows(all, half(0))),
        up: onBackend(pickedRows(all, half(mlpWidth))),
      };
    }
    const linearOf = async (name: string) =>
      onBackend(await this.hostLinear(`${prefix}${name}`, mlpWidth, width));
    return {
      gate: parts.gate === null ? null : await linearOf(parts.gate),
      up: await linearOf(parts.up),
    };
  }
}

/** Frees the weights of a block. */
export function disposeBlock(weights: BlockWeights): void {
  tf.dispose(weights as unknown as tf.TensorContainer);
}

/** Rows that lie one after the other. */
interface RowRun {
  readonly start: number;
  readonly count: number;
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

function pickedRows({ values, inputs, bias }: HostLinear, runs: readonly RowRun[]): HostLinear {
  const outputs = runs.reduce((sum, { count }) => sum + count, 0);
  const picked = new Float32Array(outputs * inputs);
  const own = bias === null ? null : new Float32Array(outputs);
  let row = 0;
  for (const { start, count } of runs) {
    picked.set(values.subarray(start * inputs, (start + count) * inputs), row * inputs);
    own?.set(bias!.subarray(start, start + count), row);
    row += count;
  }
  return { values: picked, outputs, inputs, bias: own };
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      result[column * rows + row] = values[row * columns + column]!;
    }
  }
  return result;
}

function onBackend({ values, outputs, inputs, bias }: HostLinear): Linear {
  return {
    weight: tf.tensor2d(values, [outputs, inputs]),
    bias: bias === null ? null : tf.tensor1d(bias),
  };
}
