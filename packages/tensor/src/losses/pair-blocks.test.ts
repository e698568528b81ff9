import { readFileSync } from 'node:fs';
import '@lab/core/testing';
import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { instantiateKernels } from '../kernels/instantiate.mjs';
import { compileKernels } from '../wasm-backend.js';
import { type WasmMemory, webAssembly } from '../webassembly.js';

/** Float32 exponentials, and sums of some tens of them, beside values of order 1. */
const tolerance = { atol: 1e-12, rtol: 5e-5 };

/** Logarithms of such sums. */
const logTolerance = { atol: 4e-6, rtol: 1e-6 };

type Kernel = (...values: number[]) => number;

interface Placed<T> {
  readonly view: T;
  readonly at: number;
}

/** A build of the kernels on a memory of its own; arrays are placed one after the other. */
function instantiate(build: string) {
  compileKernels(false); // turns relaxed SIMD on where it has to be
  const { Memory } = webAssembly as unknown as {
    Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
  };
  const memory = new Memory({ initial: 64, maximum: 65536 });
  const moduleOf = (name: string) => {
    const bytes = readFileSync(new URL(`../kernels/${name}`, import.meta.url));
    return new webAssembly.Module(new Uint8Array(bytes));
  };
  const modules = { kernels: moduleOf(build), tile: moduleOf(`tile-${build}`) };
  const { exports } = instantiateKernels(modules, memory);
  (exports['__stack_pointer'] as { value: number }).value = 65536;
  let next = 65536;
  const floats = (values: ArrayLike<number>): Placed<Float32Array> => {
    const view = new Float32Array(memory.buffer, next, values.length);
    view.set(values);
    next += 4 * values.length;
    return { view, at: view.byteOffset };
  };
  const words = (values: readonly number[]): number => {
    const view = new Int32Array(memory.buffer, next, values.length);
    view.set(values);
    next += 4 * values.length;
    return view.byteOffset;
  };
  const call = (name: string, ...values: number[]) => (exports[name] as Kernel)(...values);
  return { call, floats, words };
}

const bitsOf = (value: number) => new Int32Array(Float32Array.of(value).buffer)[0] ?? 0;

const zeros = (length: number) => new Float32Array(length);

const unity = (n: number) =>
  Float32Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));

/** One block of given similarities, as products of rows with the unit matrix, and its soft-max. */
function softmaxWalk(build: string, similarities: Float32Array, temper: number) {
  const n = Math.sqrt(similarities.length);
  const { call, floats, words } = instantiate(build);
  const tile = floats(zeros(n * n));
  const lines = () => [zeros(n), zeros(n), zeros(n), zeros(n).fill(1)].map(floats);
  const [rows, columns] = [lines(), lines()];
  const [left, right] = [floats(similarities), floats(unity(n))];
  const slopes = [floats(zeros(n * n)), floats(zeros(n * n))] as const;
  const addresses = (all: Placed<Float32Array>[]) => all.map(({ at }) => at);
  const panels = Array.from({ length: 4 }, () => floats(zeros((n + 23) ** 2)));
  const part = words([
    ...[n, left.at, right.at, slopes[0].at, slopes[1].at, words([tile.at, 1])],
    ...addresses(panels),
    ...[...addresses(rows), ...addresses(columns), floats(zeros(n)).at, bitsOf(0.5)],
  ]);
  const label = words(Array.from({ length: n }, (_, row) => row));
  const walk = words([
    ...[n, n, 1, 1, part, 2, bitsOf(temper), 1, label, floats(zeros(n).fill(1)).at],
    ...new Array<number>(19).fill(0),
  ]);
  const scratch = floats(zeros(1)).at;
  for (const use of [0, 1]) {
    call('pair_pack_right', 0, 1, scratch, walk, use);
    call('pair_pack_left', 0, 1, scratch, walk, use, 0);
  }
  return { run: (name: string) => call(name, 0, 1, scratch, walk, 0), tile, rows, columns, slopes };
}

/** `ln(sum exp)` of values, in float64. */
function logSum(values: readonly number[]): number {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((part, value) => part + Math.exp(value - top), 0));
}

const logsOf = ([tops, sums]: Placed<Float32Array>[], temper: number) =>
  Array.from(tops!.view, (top, line) => temper * top + Math.log(sums!.view[line]!));

function setLevels(lines: Placed<Float32Array>[], temper: number): void {
  lines[2]!.view.set(logsOf(lines, temper).map((log) => log / temper));
}

const temper = 8;

describe.each(['simd.wasm', 'relaxed-simd.wasm'])('%s', (build) => {
  describe.each([
    ['near', 20],
    ['far apart', 600],
  ])('with exponents %s', (_, spread) => {
    it.each([1, 3, 8, 31])('sums and weighs %i lines both ways', (n) => {
      const random = createRandom(`pair blocks/${n}`);
      const s = Float32Array.from({ length: n * n }, () => random.uniform() - 0.5);
      const similarities = s.map((value) => (value * spread) / temper);
      const exponents = Array.from(similarities, (value) => temper * value);
      const walk = softmaxWalk(build, similarities, temper);
      walk.run('pair_sums');
      const row = (i: number) => exponents.slice(i * n, (i + 1) * n);
      const column = (j: number) => exponents.filter((__, at) => at % n === j);
      const lines = Array.from({ length: n }, (__, line) => line);
      const rowLogs = lines.map((line) => logSum(row(line)));
      const columnLogs = lines.map((line) => logSum(column(line)));
      expect(logsOf(walk.rows, temper)).toBeClose(rowLogs, logTolerance);
      expect(logsOf(walk.columns, temper)).toBeClose(columnLogs, logTolerance);
      setLevels(walk.rows, temper);
      setLevels(walk.columns, temper);
      walk.run('pair_slopes');
      const expected = exponents.map((x, at) => {
        const [i, j] = [Math.floor(at / n), at % n];
        const own = Math.exp(x - rowLogs[i]!) + Math.exp(x - columnLogs[j]!);
        return own - (i === j ? 0.5 : 0);
      });
      expect(walk.tile.view).toBeClose(expected, { ...tolerance, atol: 1e-5 });
      // The right rows' slopes are the transposed slopes of the similarities times the left rows.
      const products = lines.flatMap((j) =>
        lines.map((d) =>
          lines.reduce((sum, i) => sum + expected[i * n + j]! * similarities[i * n + d]!, 0),
        ),
      );
      expect(walk.slopes[1].view).toBeClose(products, { atol: 1e-3, rtol: 1e-4 });
    });
  });
});
