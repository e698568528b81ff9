/**
 * Inner products of four rows with two rows at a time, two numbers in an instruction: a function
 * of some 300 bytes of WebAssembly, made here as it is written, so that no build step is needed.
 */

/** Rows of the left side that a call takes. */
export const TILE_ROWS = 4;
/** Rows of the right side that a call takes. */
export const TILE_COLUMNS = 2;
/** Numbers of a row that are taken together: rows are filled up with zeros to a multiple. */
export const TILE_STEP = 8;

/** Where the sums of a call are written: the first bytes of the memory. */
const SUM_COUNT = TILE_ROWS * TILE_COLUMNS;
/** First byte behind them. */
export const PANEL_START = SUM_COUNT * 8;

const PAGE = 65_536;

/** The function and its memory. */
interface DotKernel {
  /**
   * Writes `TILE_ROWS * TILE_COLUMNS` sums to the beginning of the memory, row by row.
   *
   * @param a - byte of the first of four rows.
   * @param b - byte of the first of two rows.
   * @param steps - length of the rows over `TILE_STEP`, at least 1.
   * @param stride - bytes from a row to the next.
   */
  readonly tile: (a: number, b: number, steps: number, stride: number) => void;
  /** All of the memory as numbers, at least so many bytes of it; older views end. */
  numbers(bytes: number): Float64Array;
}

interface LinearMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The part of the engine's WebAssembly that is used; the compiler knows it in browsers only. */
interface WebAssemblyApi {
  readonly Memory: new (size: { readonly initial: number }) => LinearMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly m: { readonly m: LinearMemory } },
  ) => { readonly exports: Readonly<Record<string, DotKernel['tile']>> };
}

const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

let kernel: DotKernel | undefined;

/** The kernel, made at its first use. */
export function dotKernel(): DotKernel {
  return (kernel ??= createKernel());
}

function createKernel(): DotKernel {
  const { Memory, Module, Instance } = webAssembly;
  const memory = new Memory({ initial: 16 });
  const { exports } = new Instance(new Module(moduleBytes()), { m: { m: memory } });
  return {
    tile: exports['t']!,
    numbers: (bytes) => {
      const missing = bytes - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
      return new Float64Array(memory.buffer);
    },
  };
}

/** An unsigned integer in groups of seven bits. */
function unsigned(value: number): number[] {
  const low = value & 127;
  return value < 128 ? [low] : [low | 128, ...unsigned(value >>> 7)];
}

/** An integer 0..2^30 as a signed one: the last group must not look negative. */
function signed(value: number): number[] {
  const low = value & 127;
  return value < 64 ? [low] : [low | 128, ...signed(value >>> 7)];
}

const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...unsigned(content.length),
  ...content,
];

const get = (local: number) => [0x20, ...unsigned(local)];
const set = (local: number) => [0x21, ...unsigned(local)];
const integer = (value: number) => [0x41, ...signed(value)];
const add = [0x6a];
/** `local = other + value`, or `+ another local`. */
const sum = (local: number, parts: readonly number[][]) => [...parts.flat(), ...add, ...set(local)];
const loadPair = (pointer: number, offset: number) => [
  ...get(pointer),
  ...[0xfd, 0x00, 0x04, ...unsigned(offset)],
];
const multiplyPair = [0xfd, 0xf2, 0x01];
const addPair = [0xfd, 0xf0, 0x01];
const lane = (which: number) => [0xfd, 0x21, which];

/** Parameters, then locals. */
const A = [0, 4, 5, 6] as const;
const B = [1, 7] as const;
const STEPS = 2;
const STRIDE = 3;
const SUMS = 8;
const X = SUMS + SUM_COUNT;
const Y = [X + 1, X + 2] as const;

/** `sums += a_r b_c` for the two numbers at an offset of each row. */
function pairStep(offset: number): number[] {
  const right = B.flatMap((pointer, c) => [...loadPair(pointer, offset), ...set(Y[c]!)]);
  const left = A.flatMap((pointer, r) => [
    ...[...loadPair(pointer, offset), ...set(X)],
    ...B.flatMap((_, c) => {
      const own = SUMS + r * TILE_COLUMNS + c;
      return [
        ...[...get(own), ...get(X), ...get(Y[c]!), ...multiplyPair],
        ...[...addPair, ...set(own)],
      ];
    }),
  ]);
  return [...right, ...left];
}

function tileBody(): number[] {
  const pointers = [
    ...[1, 2, 3].flatMap((r) => sum(A[r]!, [get(A[r - 1]!), get(STRIDE)])),
    ...sum(B[1], [get(B[0]), get(STRIDE)]),
  ];
  const stepBytes = TILE_STEP * 8;
  const steps = Array.from({ length: TILE_STEP / 2 }, (_, pair) => pairStep(pair * 16)).flat();
  const advance = [...A, ...B].flatMap((local) => sum(local, [get(local), integer(stepBytes)]));
  const again = [...get(STEPS), ...integer(1), 0x6b, 0x22, STEPS, 0x0d, 0x00];
  const store = Array.from({ length: SUM_COUNT }, (_, at) => [
    ...integer(at * 8),
    ...[...get(SUMS + at), ...lane(0), ...get(SUMS + at), ...lane(1), 0xa0],
    ...[0x39, 0x03, 0x00],
  ]).flat();
  const locals = [0x02, ...[4, 0x7f], ...unsigned(SUM_COUNT + 3), 0x7b];
  return [...locals, ...pointers, 0x03, 0x40, ...steps, ...advance, ...again, 0x0b, ...store, 0x0b];
}

/** Imports a memory `m.m`, exports the function `t`. */
function moduleBytes(): Uint8Array {
  const body = tileBody();
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  return Uint8Array.from([
    ...header,
    ...section(1, [1, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 0]),
    ...section(2, [1, 1, 0x6d, 1, 0x6d, 0x02, 0x00, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x74, 0x00, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}
