import type { Heap, HeapArray } from '../ops/heap.js';
import { tf } from '../tfjs.js';
import { addressOf, type KernelModule } from '../kernel-module.js';
import {
  createLines,
  type Cut,
  type Lines,
  type PanelStore,
  type TileStore,
  wordsOfLines,
} from './pair-memory.js';
import { addressWord, placeRecords, type Word } from '../kernels/c-record.js';
import type { PairedRows, PairProblem, SymmetricTerm } from './pair-problem.js';

/** Rows of both sides with their gradients. */
export interface SlopedRows {
  readonly rows: PairedRows;
  readonly slopes: PairedRows;
}

/** Memory that all walks of a problem use. */
export interface PairMemory {
  readonly kernels: KernelModule;
  readonly heap: Heap;
  readonly cut: Cut;
  readonly tiles: TileStore;
  readonly panels: PanelStore;
}

/** Lines of the soft-max of one part. */
export interface SoftmaxLines {
  readonly rows: Lines;
  readonly columns: Lines | null;
  readonly labelled: HeapArray<Float32Array>;
}

/** Lines of the symmetric term: all 2B anchors. */
export interface AnchorLines {
  readonly left: Lines;
  readonly right: Lines;
}

/** Left against right rows, of all parts. */
export interface AcrossMemory {
  readonly softmax: readonly SoftmaxLines[];
  readonly partners: HeapArray<Float32Array>;
  readonly pulls: HeapArray<Float32Array>;
  readonly shareSlopes: {
    readonly left: HeapArray<Float32Array>;
    readonly right: HeapArray<Float32Array>;
  } | null;
  /** Address of the C struct. */
  readonly walk: number;
}

interface PartWords {
  readonly rows: SlopedRows;
  readonly tiles: number;
  readonly panels: readonly Word[];
  readonly softmax: SoftmaxLines | null;
  readonly labelFactor: number;
}

function wordsOfPart({ kernels, cut }: PairMemory, part: PartWords): Word[] {
  const { rows, slopes } = part.rows;
  const matrices = [rows.left, rows.right, slopes.left, slopes.right];
  return [
    rows.left.shape[1],
    ...matrices.map((matrix) => addressWord(addressOf(kernels, matrix))),
    addressWord(part.tiles),
    ...part.panels,
    ...wordsOfLines(part.softmax?.rows ?? null, cut),
    ...wordsOfLines(part.softmax?.columns ?? null, cut),
    addressWord(part.softmax?.labelled.at() ?? 0),
    { float: part.labelFactor },
  ];
}

function wordsOfCut({ count, size, blocks }: Cut): Word[] {
  return [count, size, blocks];
}

/** The C struct of one side's joined rows against themselves. */
export function withinWalk(
  memory: PairMemory,
  joined: { rows: tf.Tensor2D; slopes: tf.Tensor2D },
  { lines, scale }: { lines: Lines; scale: number },
): number {
  const { cut, heap } = memory;
  const rows = { left: joined.rows, right: joined.rows };
  const slopes = { left: joined.slopes, right: joined.slopes };
  const tiles = memory.tiles.place(true, 0);
  const panels = memory.panels.place([joined.rows.shape[1]])[0] ?? [];
  const words = wordsOfPart(memory, {
    ...{ rows: { rows, slopes }, tiles, panels, softmax: null, labelFactor: 0 },
  });
  const own = wordsOfLines(lines, cut);
  const part = addressWord(placeRecords(heap, [words]));
  const fields = [
    ...[...wordsOfCut(cut), 1, part, ...withoutSoftmax, ...[1, 1, 0, { float: scale }]],
    ...[...own, ...own, ...[0, 0, 0, 0, 0, 0, 0].map(addressWord)],
  ];
  return placeRecords(heap, [fields]);
}

/** Left rows against right rows of all parts: the memory and the C struct. */
export function acrossWalk(
  memory: PairMemory,
  problem: PairProblem,
  { parts, anchors }: { parts: readonly SlopedRows[]; anchors: AnchorLines | null },
): AcrossMemory {
  const { heap, cut } = memory;
  const softmax = problem.softmax === null ? [] : parts.map(() => softmaxLines(memory, problem));
  const tables = placeTiles(memory, parts);
  const panels = memory.panels.place(parts.map(({ rows }) => rows.left.shape[1]));
  const count = problem.softmax === null ? 0 : cut.count * problem.softmax.temperature;
  const labelFactor = count === 0 ? 0 : (problem.softmax?.weight ?? 0) / count;
  const words = parts.map((rows, at) =>
    wordsOfPart(memory, {
      ...{ rows, tiles: tables[at] ?? 0, panels: panels[at] ?? [] },
      ...{ softmax: softmax[at] ?? null, labelFactor },
    }),
  );
  const [partners, pulls] = [heap.floats(cut.count, 0), heap.floats(cut.count, 0)];
  const blend = blendMemory(memory, problem);
  const slots = anchors === null ? 0 : cut.blocks;
  const walk = placeRecords(heap, [
    [
      ...[...wordsOfCut(cut), parts.length, addressWord(placeRecords(heap, words))],
      ...[...softmaxWords(heap, problem), ...symmetricWords(problem.symmetric)],
      ...wordsOfLines(anchors?.left ?? null, cut, slots),
      ...wordsOfLines(anchors?.right ?? null, cut, slots),
      ...[...blend.addresses, partners.at(), pulls.at()].map(addressWord),
    ],
  ]);
  return { softmax, partners, pulls, shareSlopes: blend.slopes, walk };
}

/** Tables of the parts' tiles; the widest part, whose products cost most, is kept first. */
function placeTiles({ tiles }: PairMemory, parts: readonly SlopedRows[]): number[] {
  const widthOf = (part: number) => parts[part]?.rows.left.shape[1] ?? 0;
  const order = parts.map((_, part) => part).sort((a, b) => widthOf(b) - widthOf(a));
  const tables: number[] = [];
  for (const part of order) tables[part] = tiles.place(false, part);
  return tables;
}

function softmaxLines({ heap, cut }: PairMemory, { softmax }: PairProblem): SoftmaxLines {
  const { blocks, count } = cut;
  const labels = softmax?.labels;
  const directions = softmax?.bothDirections ? 2 : 1;
  const factor = (softmax?.weight ?? 0) / (count * (softmax?.temperature ?? 1) * directions);
  const create = (masses: Float32Array) => {
    const lines = createLines(heap, cut, blocks);
    lines.factors.view().set(masses.map((mass) => mass * factor));
    return lines;
  };
  return {
    rows: create(labels?.rowSums ?? new Float32Array(0)),
    columns: labels && directions === 2 ? create(labels.columnSums) : null,
    labelled: heap.floats(blocks * count),
  };
}

/** The fields of a soft-max where there is none. */
const withoutSoftmax: Word[] = [0, { float: 0 }, 0, addressWord(0), addressWord(0)];

function softmaxWords(heap: Heap, { softmax }: PairProblem): Word[] {
  if (softmax === null) return withoutSoftmax;
  const { columns, weights, perRow } = softmax.labels;
  const [at, by] = [heap.ints(columns.length), heap.floats(weights.length)];
  at.view().set(columns);
  by.view().set(weights);
  const directions = softmax.bothDirections ? 2 : 1;
  const temper = { float: 1 / softmax.temperature };
  return [directions, temper, perRow, addressWord(at.at()), addressWord(by.at())];
}

function symmetricWords(term: SymmetricTerm | null): Word[] {
  if (term === null) return [0, 0, 0, 0];
  return [1, 0, term.includePositive ? 0 : 1, { float: term.scale }];
}

/** Where the similarities of the joined rows go, with the shares; nothing without shares. */
function blendMemory({ kernels, heap, cut }: PairMemory, { shares, parts }: PairProblem) {
  if (shares === null) return { addresses: [0, 0, 0, 0, 0], slopes: null };
  const turned = [tf.transpose(shares.left), tf.transpose(shares.right)]; // [parts, B]
  const addresses = turned.map((share) => addressOf(kernels, share));
  const length = cut.blocks * parts.length * cut.count;
  const slopes = { left: heap.floats(length), right: heap.floats(length) };
  const tiles = heap.floats(cut.blocks * cut.size * cut.size);
  const places = [tiles.at(), ...addresses, slopes.left.at(), slopes.right.at()];
  return { addresses: places, slopes };
}
