/**
 * The weights of a decoder that is trained, under the names and in the order of its checkpoint:
 * the reverse of reading them.
 */
import type { tf } from '@lab/tensor';
import type { FamilyModel } from '../families/family.js';
import { type BlockWeights, fusedRows, type Linear, type Norm } from '../weights/block-weights.js';
import { blockPrefix } from '../weights/expected-weights.js';
import { type RowRun, transposed } from '../weights/stored-numbers.js';
import type { MemoryWeight } from './memory-checkpoint.js';
import { mergedWeight } from './tuning.js';
import { numbersOf } from './weight-tree.js';

/** All weights of a decoder; gains of norms without the family's offset. */
export interface DecoderWeights {
  readonly embedding: tf.Tensor2D;
  readonly positions: tf.Tensor2D | null;
  readonly blocks: readonly BlockWeights[];
  readonly norm: Norm;
  /** Null where the embeddings are the output's weights, too. */
  readonly output: tf.Tensor2D | null;
}

/** A matrix and its bias in the host's memory. */
interface HostLinear {
  readonly weight: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly bias: Float32Array | null;
}

/** All weights by their names in a checkpoint. */
export async function decoderArrays(
  model: FamilyModel,
  weights: DecoderWeights,
): Promise<Map<string, MemoryWeight>> {
  const arrays = new ArrayWriter(model);
  const names = model.weights;
  await arrays.matrix(`${names.embedding}.weight`, weights.embedding);
  if (weights.positions !== null) {
    await arrays.matrix(`${names.positions}.weight`, weights.positions);
  }
  for (const [index, block] of weights.blocks.entries()) {
    const prefix = blockPrefix(model, index);
    const own = names.names;
    const norms = [
      [own.norm1, block.norm1],
      [own.norm2, block.norm2],
      [own.postNorm1, block.postNorm1],
      [own.postNorm2, block.postNorm2],
      [own.queryNorm, block.queryNorm],
      [own.keyNorm, block.keyNorm],
    ] as const;
    for (const [name, norm] of norms) {
      if (name !== null && norm !== null) await arrays.norm(`${prefix}${name}`, norm);
    }
    await arrays.queryKeyValue(prefix, block);
    await arrays.linear(`${prefix}${own.output}`, block.output);
    await arrays.gateUp(prefix, block);
    await arrays.linear(`${prefix}${own.down}`, block.down);
  }
  await arrays.norm(names.finalNorm, weights.norm);
  if (weights.output !== null) await arrays.matrix(`${names.output}.weight`, weights.output);
  return arrays.found;
}

class ArrayWriter {
  readonly found = new Map<string, MemoryWeight>();

  constructor(private readonly model: FamilyModel) {}

  private add(name: string, shape: readonly number[], values: Float32Array): void {
    this.found.set(name, { shape, numbers: () => values });
  }

  /** A matrix as it is. */
  async matrix(name: string, tensor: tf.Tensor2D): Promise<void> {
    this.add(name, tensor.shape, await numbersOf(tensor));
  }

  async norm(name: string, { gain, bias }: Norm): Promise<void> {
    this.add(`${name}.weight`, gain.shape, await numbersOf(gain));
    if (bias !== null) this.add(`${name}.bias`, bias.shape, await numbersOf(bias));
  }

  /** A matrix of a block, turned where the checkpoint has inputs as rows. */
  async linear(name: string, linear: Linear): Promise<void> {
    this.host(name, await hostLinear(linear));
  }

  private host(name: string, { weight, rows, columns, bias }: HostLinear): void {
    const { isInputMajor } = this.model.weights;
    const matrix = { dtype: 'float32', values: weight, rows, columns } as const;
    const stored = isInputMajor ? transposed(matrix) : matrix;
    const values = stored.values as Float32Array;
    this.add(`${name}.weight`, [stored.rows, stored.columns], values);
    if (bias !== null) this.add(`${name}.bias`, [bias.length], bias);
  }

  async queryKeyValue(prefix: string, block: BlockWeights): Promise<void> {
    const { queryKeyValue: parts } = this.model.weights.names;
    if (!('fused' in parts)) {
      await this.linear(`${prefix}${parts.query}`, block.query);
      await this.linear(`${prefix}${parts.key}`, block.key);
      await this.linear(`${prefix}${parts.value}`, block.value);
      return;
    }
    const runs = fusedRows(parts.order, this.model.architecture);
    const pieces = [
      { linear: await hostLinear(block.query), runs: runs.query },
      { linear: await hostLinear(block.key), runs: runs.key },
      { linear: await hostLinear(block.value), runs: runs.value },
    ];
    this.host(`${prefix}${parts.fused}`, fused(pieces));
  }

  async gateUp(prefix: string, block: BlockWeights): Promise<void> {
    const { gateUp: parts } = this.model.weights.names;
    if ('fused' in parts) {
      const { mlpWidth: count } = this.model.architecture;
      const pieces = [
        { linear: await hostLinear(block.gate!), runs: [{ start: 0, count }] },
        { linear: await hostLinear(block.up), runs: [{ start: count, count }] },
      ];
      this.host(`${prefix}${parts.fused}`, fused(pieces));
      return;
    }
    if (block.gate !== null) await this.linear(`${prefix}${parts.gate}`, block.gate);
    await this.linear(`${prefix}${parts.up}`, block.up);
  }
}

/** The numbers of a matrix with its adapter in it. */
export async function mergedNumbers({ weight, lowRank }: Linear): Promise<Float32Array> {
  if (lowRank === undefined) return numbersOf(weight as tf.Tensor2D);
  const merged = mergedWeight(weight as tf.Tensor2D, lowRank);
  const numbers = await numbersOf(merged);
  merged.dispose();
  return numbers;
}

async function hostLinear(linear: Linear): Promise<HostLinear> {
  const [rows, columns] = (linear.weight as tf.Tensor2D).shape;
  const bias = linear.bias === null ? null : await numbersOf(linear.bias);
  return { weight: await mergedNumbers(linear), rows, columns, bias };
}

/** Rows of several matrices in one, each at the places of its runs. */
function fused(
  pieces: readonly { readonly linear: HostLinear; readonly runs: readonly RowRun[] }[],
): HostLinear {
  const { columns } = pieces[0]!.linear;
  const rows = pieces.reduce((sum, { linear }) => sum + linear.rows, 0);
  const weight = new Float32Array(rows * columns);
  const bias = pieces[0]!.linear.bias === null ? null : new Float32Array(rows);
  for (const { linear, runs } of pieces) {
    let from = 0;
    for (const { start, count } of runs) {
      const end = from + count;
      weight.set(linear.weight.subarray(from * columns, end * columns), start * columns);
      bias?.set(linear.bias!.subarray(from, end), start);
      from = end;
    }
  }
  return { weight, rows, columns, bias };
}
