import { type KernelCall, NUMBER_BYTES } from './call.js';

/** Kinds of numbers that weights are, by the numbers that the C code knows them by. */
export const WEIGHT_KINDS = { float16: 0, finiteFloat16: 1, bfloat16: 2, float32: 3 } as const;

/** Up to this many rows a product reads each weight once, without packing. */
export const FEW_ROWS = 16;

/** Bytes of weights of a block, which several groups of rows find in the cache. */
const BLOCK_BYTES = 2 ** 16;
/** A multiple of the rows of weights that are multiplied at a time. */
const AT_ONCE = 3;
/** Floats of a line of the cache. */
const LINE = 16;

/** A product `x w^T` of m rows with n rows of weights, of k numbers each. */
export interface FewRows {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** One of {@link WEIGHT_KINDS}. */
  readonly kind: number;
}

/** Writes `x w^T` plus the bias, if there is one, on all threads; all are addresses. */
export function runFewRows(
  call: KernelCall,
  { m, n, k, kind }: FewRows,
  { x, weight, to, bias }: { x: number; weight: number; to: number; bias: number },
): void {
  const bytes = k * (kind === WEIGHT_KINDS.float32 ? 4 : 2);
  const block = Math.max(1, Math.floor(BLOCK_BYTES / Math.max(bytes, 1) / AT_ONCE)) * AT_ONCE;
  const work = { kernel: 'few_rows', count: m === 0 ? 0 : n, block };
  const multiply = (from: number, step: number): void =>
    call.runBlocks(work, from, step, weight, to, m, n, k, kind, bias);
  // A single row waits for its weights, whatever its place.
  if (m <= 1) {
    multiply(x, k);
    return;
  }
  const step = LINE * Math.ceil(k / LINE);
  const lineBytes = LINE * NUMBER_BYTES;
  call.temporary(m * step * NUMBER_BYTES + lineBytes, (address) => {
    const apart = lineBytes * Math.ceil(address / lineBytes);
    call.run('few_rows_apart', m, k, step, x, apart);
    multiply(apart, step);
  });
}
