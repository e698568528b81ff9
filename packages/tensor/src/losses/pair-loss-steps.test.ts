import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import '@lab/core/testing';
import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { type WasmMemory, webAssembly } from '../webassembly.js';

/** Float32 exponentials, and sums of some tens of them, beside values of order 1. */
const tolerance = { atol: 1e-12, rtol: 3e-5 };

/** Logarithms of such sums. */
const logTolerance = { atol: 2e-6, rtol: 1e-6 };

type Kernel = (...values: number[]) => number;

/** A build of the kernels on a memory of its own; arrays are placed one after the other. */
function instantiate(build: string) {
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  const bytes = new Uint8Array(readFileSync(new URL(`../kernels/${build}`, import.meta.url)));
  const { Memory } = webAssembly as unknown as {
    Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
  };
  const memory = new Memory({ initial: 16, maximum: 65536 });
  const module = new webAssembly.Module(bytes);
  const { exports } = new webAssembly.Instance(module, { env: { memory } });
  (exports['__stack_pointer'] as { value: number }).value = 65536;
  let next = 65536;
  const place = (values: ArrayLike<number>) => {
    const view = new Float32Array(memory.buffer, next, values.length);
    view.set(values);
    next += 4 * values.length;
    return { view, at: view.byteOffset };
  };
  const call = (name: string, ...values: number[]) => (exports[name] as Kernel)(...values);
  return { call, place };
}

function numbers(name: string, count: number, spread: number): number[] {
  const random = createRandom(`pair loss steps/${name}`);
  return Array.from({ length: count }, () => spread * (random.uniform() - 0.5));
}

/** `ln(first + sum exp)` of values, in float64. */
function logSum(values: readonly number[], first: number): number {
  const top = Math.max(...values);
  const sum = values.reduce((part, value) => part + Math.exp(value - top), 0);
  return top + Math.log(sum + first * Math.exp(-top));
}

const sizes = [
  [1, 1],
  [3, 5],
  [6, 16],
  [7, 31],
] as const;

describe.each(['simd.wasm', 'relaxed-simd.wasm'])('%s', (build) => {
  describe.each([
    ['near', 20],
    ['far apart', 600],
  ])('with exponents %s', (_, spread) => {
    it.each(sizes)('takes %i x %i exponents into both log-sum-exps', (rows, columns) => {
      const { call, place } = instantiate(build);
      const x = Array.from(Float32Array.from(numbers('x', rows * columns, spread)));
      const block = place(x);
      const [rowTops, rowSums] = [place(new Array(rows).fill(0)), place(new Array(rows).fill(1))];
      const columnTops = place(new Array(columns).fill(-3e38));
      const columnSums = place(new Array(columns).fill(0));
      const spare = place(new Array(columns).fill(0));
      const lines = [rowTops, rowSums, columnTops, columnSums, spare].map(({ at }) => at);
      call('exponent_sums', rows, columns, block.at, ...lines);
      const row = (i: number) => x.slice(i * columns, (i + 1) * columns);
      const column = (j: number) => x.filter((__, at) => at % columns === j);
      const logs = (tops: Float32Array, sums: Float32Array) =>
        Array.from(tops, (top, at) => top + Math.log(sums[at] ?? 0));
      const expectedRows = Array.from(rowTops.view, (__, i) => logSum(row(i), 1));
      const expectedColumns = Array.from(columnTops.view, (__, j) => logSum(column(j), 0));
      expect(logs(rowTops.view, rowSums.view)).toBeClose(expectedRows, logTolerance);
      expect(logs(columnTops.view, columnSums.view)).toBeClose(expectedColumns, logTolerance);
    });

    it.each(sizes)('weighs %i x %i exponents against both', (rows, columns) => {
      const { call, place } = instantiate(build);
      const block = place(numbers('x', rows * columns, spread));
      const x = Array.from(block.view);
      const row = (i: number) => x.slice(i * columns, (i + 1) * columns);
      const column = (j: number) => x.filter((__, at) => at % columns === j);
      const rowLogs = place(Array.from({ length: rows }, (__, i) => logSum(row(i), 0)));
      const columnLogs = place(Array.from({ length: columns }, (__, j) => logSum(column(j), 0)));
      const rowFactors = place(numbers('r', rows, 1).map((value) => value + 2));
      const columnFactors = place(numbers('c', columns, 1).map((value) => value + 2));
      const spare = place(new Array(columns).fill(0));
      const lines = [rowLogs, rowFactors, columnLogs, columnFactors, spare].map(({ at }) => at);
      call('exponent_weights', rows, columns, block.at, ...lines);
      const expected = x.map((value, at) => {
        const [i, j] = [Math.floor(at / columns), at % columns];
        const own = (rowFactors.view[i] ?? 0) * Math.exp(value - (rowLogs.view[i] ?? 0));
        return own + (columnFactors.view[j] ?? 0) * Math.exp(value - (columnLogs.view[j] ?? 0));
      });
      expect(block.view).toBeClose(expected, tolerance);
    });

    it.each(sizes)('makes soft-max rows of %i x %i exponents', (rows, columns) => {
      const { call, place } = instantiate(build);
      const block = place(numbers('x', rows * columns, spread));
      const x = Array.from(block.view);
      const factors = place(numbers('f', rows, 1).map((value) => value + 2));
      const [tops, sums] = [place(new Array(rows).fill(9)), place(new Array(rows).fill(9))];
      call('softmax_weights', rows, columns, block.at, factors.at, tops.at, sums.at);
      const logs = factors.view.map((__, i) => logSum(x.slice(i * columns, (i + 1) * columns), 0));
      const expected = x.map((value, at) => {
        const i = Math.floor(at / columns);
        return (factors.view[i] ?? 0) * Math.exp(value - (logs[i] ?? 0));
      });
      expect(block.view).toBeClose(expected, tolerance);
      expect(tops.view.map((top, i) => top + Math.log(sums.view[i] ?? 0))).toBeClose(
        logs,
        logTolerance,
      );
    });
  });
});
