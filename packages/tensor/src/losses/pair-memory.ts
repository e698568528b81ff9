import type { Heap, HeapArray } from '../ops/heap.js';
import { addressWord, placeRecords, type Word } from '../kernels/c-record.js';

/** Rows of a block at most, by default: a multiple of the tiles of a product. */
const largestBlock = 384;

/** Tops and sums `[slots, count]` of some lines, and what follows from them `[count]`. */
export interface Lines {
  readonly slots: number;
  readonly tops: HeapArray<Float32Array>;
  readonly sums: HeapArray<Float32Array>;
  readonly levels: HeapArray<Float32Array>;
  readonly factors: HeapArray<Float32Array>;
}

/** How the rows of a side are cut. */
export interface Cut {
  readonly count: number;
  readonly size: number;
  readonly blocks: number;
}

/** The cut of `count` rows in blocks of at most `blockRows`. */
export function cutOf(count: number, blockRows = largestBlock): Cut {
  return { count, size: Math.min(count, blockRows), blocks: Math.ceil(count / blockRows) };
}

/** Lines of one side; every block that a line is in has a slot of its own. */
export function createLines(heap: Heap, { count }: Cut, slots: number): Lines {
  return {
    slots,
    tops: heap.floats(slots * count),
    sums: heap.floats(slots * count),
    levels: heap.floats(count, 0),
    factors: heap.floats(count, 0),
  };
}

/** A term `exp(scale (similarity - level))` that a log-sum-exp starts with, and the range. */
export interface LineRange {
  readonly scale: number;
  readonly first?: number;
  readonly start?: number;
  readonly end?: number;
}

/** Sets the levels of lines from all slots; returns `ln(sum of exp(scale s))` of each. */
export function finishLines(lines: Lines, { count }: Cut, range: LineRange): Float64Array {
  const { scale, first, start = 0, end = count } = range;
  const [tops, sums, levels] = [lines.tops.view(), lines.sums.view(), lines.levels.view()];
  const logs = new Float64Array(end - start);
  for (let line = start; line < end; line += 1) {
    let top = first ?? -Infinity;
    for (let at = line; at < tops.length; at += count) top = Math.max(top, tops[at] ?? 0);
    let sum = first === undefined ? 0 : Math.exp(scale * (first - top));
    for (let at = line; at < tops.length; at += count) {
      sum += (sums[at] ?? 0) * Math.exp(scale * ((tops[at] ?? 0) - top));
    }
    logs[line - start] = scale * top + Math.log(sum);
    levels[line] = top + Math.log(sum) / scale;
  }
  return logs;
}

/** Addresses of lines as C takes them, from a slot on. */
export function wordsOfLines(lines: Lines | null, { count }: Cut, slot = 0): Word[] {
  if (lines === null) return [0, 0, 0, 0].map(addressWord);
  const first = slot * count;
  const { tops, sums, levels, factors } = lines;
  return [tops.at(first), sums.at(first), levels.at(), factors.at()].map(addressWord);
}

/** Where rows lie packed for products: places that the walks use in turn. */
export interface PanelStore {
  /** Addresses as C takes them, for parts of the given widths side by side. */
  place(widths: readonly number[]): Word[][];
}

/** Places for packed rows of a block of left rows, and of all right ones; with those of slopes. */
export function createPanels(
  heap: Heap,
  { size, blocks }: Cut,
  { widths, wantGradients }: { widths: readonly number[]; wantGradients: boolean },
): PanelStore {
  // Whole tiles of a product, whichever side is along their 6 rows, or 8 or 16 columns.
  const linesOf = (length: number) => 48 * Math.ceil(length / 48);
  const floatsOf = (width: number) => linesOf(size) * linesOf(width);
  const length = widths.reduce((sum, width) => sum + floatsOf(width), 0);
  const counts = wantGradients ? [1, blocks, 1, blocks] : [1, blocks];
  const places = counts.map((count) => ({ count, floats: heap.floats(count * length) }));
  return {
    place(parts) {
      let first = 0;
      return parts.map((width) => {
        const used = places.map(({ count, floats }) => floats.at(count * first));
        first += floatsOf(width);
        return [...used, ...(wantGradients ? [] : [0, 0])].map(addressWord);
      });
    },
  };
}

/** Blocks of similarities: kept ones within a budget, the others in one place per column block. */
export interface TileStore {
  /** The table `[blocks, blocks]` of a kind of similarities; `isUpper`: from the diagonal on. */
  place(isUpper: boolean, part: number): number;
  /** Whether all that were placed are kept. */
  isComplete(): boolean;
}

/**
 * A store of tiles that keeps at most `budget` bytes, those that are placed first. Without a budget
 * a row block is finished before the next, so that all of its tiles last until they are used.
 */
export function createTiles(
  heap: Heap,
  { count, size, blocks }: Cut,
  budget: number | null,
): TileStore {
  let left = budget ?? 0;
  const shared: HeapArray<Float32Array>[] = [];
  const sharedAt = (part: number, column: number) => {
    shared[part] ??= heap.floats(blocks * size * size);
    return shared[part].at(column * size * size);
  };
  const lengthOf = (block: number) => Math.min(size, count - block * size);
  return {
    place(isUpper, part) {
      const table: Word[][] = [];
      for (let row = 0; row < blocks; row += 1) {
        for (let column = 0; column < blocks; column += 1) {
          const bytes = 4 * lengthOf(row) * lengthOf(column);
          const isUsed = !isUpper || column >= row;
          const isKept = isUsed && left >= bytes;
          if (isKept) left -= bytes;
          const kept = isKept ? heap.floats(bytes / 4).at() : 0;
          const address = isUsed && !isKept ? sharedAt(part, column) : kept;
          table.push([addressWord(address), Number(isKept || budget === null)]);
        }
      }
      return placeRecords(heap, table);
    },
    isComplete: () => shared.length === 0,
  };
}
