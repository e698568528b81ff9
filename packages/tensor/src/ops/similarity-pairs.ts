import { addressOf, type KernelModule } from '../kernel-module.js';
import type { Heap, HeapArray } from './heap.js';
import type { SimilarityInputs } from './similarity-blocks.js';
import { anyHost, pickRows, type RowReader, sliceRows } from './similarity-rows.js';

/** What pairs are read from. */
interface PairWalk {
  kernels: KernelModule;
  inputs: SimilarityInputs;
  width: number;
  readers: { left: readonly RowReader[]; right: readonly RowReader[] };
}

/** Rows whose pair similarities are read off the diagonal of one small product. */
const pairRows = 48;

/** Rows that are uploaded at once for their pair similarities, a multiple of `pairRows`. */
const uploadedPairs = 100 * pairRows;

/** Similarity of every row with its counterpart, summed over the samples; 0 for -1. */
export function pairValues(walk: PairWalk, heap: Heap, counterparts: Int32Array): Float32Array {
  const { kernels, inputs, width } = walk;
  const count = counterparts.length;
  const bytesPerThread = kernels.call('gemm_scratch_bytes') + 4 * pairRows * (width + pairRows);
  const scratch = heap.floats((kernels.threads * bytesPerThread) / 4);
  const work = { address: scratch.at(), bytesPerThread };
  const columns = heap.ints(count);
  columns.view().set(counterparts);
  const values = heap.floats(count);
  const add = (part: PairPart, sample: number) =>
    kernels.callBlocks(
      {
        kernel: 'pair_similarities',
        count: Math.ceil(part.count / pairRows),
        block: 1,
        scratch: work,
      },
      ...[pairRows, part.count, width, part.left, part.right, columns.at(part.start)],
      ...[sample > 0 ? 1 : 0, values.at(part.start)],
    );
  inputs.left.forEach((left, sample) => {
    const right = inputs.right[sample] ?? left;
    if (anyHost([left, right])) {
      uploadPairs(walk, { sample, counterparts, columns }, (part) => add(part, sample));
      return;
    }
    const { left: from, right: to } = walk.readers;
    const addresses = {
      left: from[sample]!.addressOf(0, count),
      right: to[sample]!.addressOf(0, 0),
    };
    add({ start: 0, count, ...addresses }, sample);
  });
  return values.view().slice();
}

/** Rows from `start` on with the addresses of both sides, columns numbered as `columns` says. */
interface PairPart {
  start: number;
  count: number;
  left: number;
  right: number;
}

/** Rows and their counterparts side by side in uploaded parts; the columns are numbered anew. */
function uploadPairs(
  { kernels, inputs }: PairWalk,
  {
    sample,
    counterparts,
    columns,
  }: { sample: number; counterparts: Int32Array; columns: HeapArray<Int32Array> },
  visit: (part: PairPart) => void,
): void {
  const [left, right] = [inputs.left[sample]!, inputs.right[sample]!];
  for (let start = 0; start < counterparts.length; start += uploadedPairs) {
    const own = counterparts.subarray(start, start + uploadedPairs);
    const rows = sliceRows(left, start, own.length);
    const others = pickRows(
      right,
      own.map((column) => Math.max(column, 0)),
    );
    columns.view().set(
      own.map((column, at) => (column < 0 ? -1 : at)),
      start,
    );
    const addresses = { left: addressOf(kernels, rows), right: addressOf(kernels, others) };
    visit({ start, count: own.length, ...addresses });
    rows.dispose();
    others.dispose();
  }
}
