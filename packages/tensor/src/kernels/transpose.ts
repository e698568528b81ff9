import { tf } from '../tfjs.js';
import { blockOf, type KernelCall, NUMBER_BYTES, registerOwnKernel, sizeOf } from './call.js';

/** Most elements of a tile, which is turned in 16 kB of scratch, and its usual side. */
const TILE_ELEMENTS = 4096;
const TILE_SIDE = 64;

/** An axis of the output: its size and what one step along it is in the source and the output. */
interface Axis {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/** Axes of the output, outermost first; axes of size 1 gone, those that stay together as one. */
function axesOf(shape: readonly number[], perm: readonly number[]): Axis[] {
  const axes: Axis[] = [];
  let to = 1;
  for (const axis of [...perm].reverse()) {
    const size = shape[axis] as number;
    const from = sizeOf(shape.slice(axis + 1));
    const inner = axes[0];
    if (size === 1) continue;
    if (inner !== undefined && from === inner.from * inner.size) {
      axes[0] = { ...inner, size: inner.size * size };
    } else axes.unshift({ size, from, to });
    to *= size;
  }
  return axes;
}

/** Runs `body` with the axes as the C code reads them. */
function withAxes(call: KernelCall, axes: readonly Axis[], body: (address: number) => void): void {
  const values = axes.flatMap(({ size, from, to }) => [size, from, to]);
  call.temporary(values.length * NUMBER_BYTES, (address) => {
    call.kernels.memory.ints(address, values.length).set(values);
    body(address);
  });
}

function permuteRows(call: KernelCall, axes: readonly Axis[], at: readonly number[]): void {
  const outer = axes.slice(0, -1);
  const width = (axes.at(-1) as Axis).size;
  const count = outer.reduce((rows, { size }) => rows * size, 1);
  withAxes(call, outer, (address) => {
    const work = { kernel: 'permute_rows', count, block: blockOf(2 * width + 8) };
    call.runBlocks(work, ...at, width, outer.length, address);
  });
}

/** The output's last axis runs down the rows of planes whose columns lie side by side in x. */
function transposePlanes(call: KernelCall, axes: readonly Axis[], at: readonly number[]): void {
  const rows = axes.at(-1) as Axis;
  const columns = axes.find(({ from }) => from === 1) as Axis;
  const outer = axes.filter((axis) => axis !== rows && axis !== columns);
  const most = (other: Axis): number =>
    Math.max(TILE_SIDE, Math.floor(TILE_ELEMENTS / other.size / 4) * 4);
  const tileRows = Math.min(rows.size, most(columns));
  const tileColumns = Math.min(columns.size, most(rows));
  const tiles = Math.ceil(rows.size / tileRows) * Math.ceil(columns.size / tileColumns);
  const planes = outer.reduce((count, { size }) => count * size, 1);
  withAxes(call, outer, (address) => {
    const block = blockOf(2 * tileRows * tileColumns + 16);
    const work = { kernel: 'transpose_tiles', count: tiles * planes, block };
    const sizes = [rows.size, columns.size, rows.from, columns.to, tileRows, tileColumns];
    call.runBlocks(work, ...at, ...sizes, outer.length, address);
  });
}

function transpose(call: KernelCall): tf.TensorInfo {
  const x = call.input('x');
  const perm = call.attribute<number[]>('perm');
  const shape = perm.map((axis) => x.shape[axis] as number);
  const axes = axesOf(x.shape, perm);
  if (axes.length <= 1) {
    return call.kernels.memory.alias(x, shape);
  }
  const output = call.output(shape, x.dtype);
  if (sizeOf(shape) === 0) return output;
  const at = [x, output].map(call.address);
  if (axes.at(-1)?.from === 1) permuteRows(call, axes, at);
  else transposePlanes(call, axes, at);
  return output;
}

/** Registers the permutation of axes for tensors of 4-byte numbers. */
export function installTranspose(): void {
  registerOwnKernel(
    { name: tf.Transpose, compute: transpose },
    ({ x }) => x?.dtype === 'float32' || x?.dtype === 'int32',
  );
}
