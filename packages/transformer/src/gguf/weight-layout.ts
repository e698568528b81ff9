/**
 * Numbers of weights as a Hugging Face checkpoint and as a GGUF file hold them.
 *
 * Source: llama.cpp, `convert_hf_to_gguf.py`: GPT-2's matrices are turned, the rows of a fused
 * matrix stand by queries, keys and values, Gemma's gains have their 1, Llama's heads have their
 * pairs side by side.
 */
import type { FamilyModel } from '../families/family.js';
import { fusedRows } from '../weights/block-weights.js';
import {
  floatsOf,
  pickedRows,
  type RowRun,
  type StoredMatrix,
  type StoredNumbers,
  transposed,
} from '../weights/stored-numbers.js';
import { pairedRows, turningHeadWidth } from './paired-rows.js';
import type { NamedWeight } from './tensor-names.js';

/** Changes all numbers of a weight. */
export type LayoutChange = (numbers: StoredNumbers) => StoredNumbers;

/** How a weight is changed where it is written to a GGUF file; null where it stays as it is. */
export function toGgufLayout(
  model: FamilyModel,
  weight: NamedWeight,
  hasPairedRows: boolean,
): LayoutChange | null {
  const { isInputMajor } = model.weights;
  const { gainOffset } = model.architecture.norm;
  const matrix = (numbers: StoredNumbers): StoredMatrix => ({ ...numbers, ...sizesOf(weight) });
  if (isGain(weight) && gainOffset !== 0) return (numbers) => shifted(numbers, gainOffset);
  const runs = concatenatedRuns(model, weight.name);
  if (runs !== null) return (numbers) => pickedRows(matrix(numbers), runs);
  if (isTurned(weight, isInputMajor)) return (numbers) => transposed(matrix(numbers));
  const headWidth = hasPairedRows ? turningHeadWidth(model, weight.name) : null;
  if (headWidth === null) return null;
  return (numbers) => ({
    ...numbers,
    values: pairedRows(numbers.values, weight.shape[0]!, headWidth),
  });
}

/** The other way round, but for pairs of rows, which the reader of the file puts back. */
export function fromGgufLayout(model: FamilyModel, weight: NamedWeight): LayoutChange | null {
  const { isInputMajor } = model.weights;
  const { gainOffset } = model.architecture.norm;
  const { rows, columns } = sizesOf(weight);
  if (isGain(weight) && gainOffset !== 0) return (numbers) => shifted(numbers, -gainOffset);
  const runs = concatenatedRuns(model, weight.name);
  if (runs !== null) {
    const back = inverseRuns(runs);
    return (numbers) => pickedRows({ ...numbers, rows, columns }, back);
  }
  if (!isTurned(weight, isInputMajor)) return null;
  return (numbers) => transposed({ ...numbers, rows: columns, columns: rows });
}

/** A bias is a matrix of one column. */
const sizesOf = ({ shape }: NamedWeight) => ({ rows: shape[0]!, columns: shape[1] ?? 1 });

const isGain = ({ ggufName }: NamedWeight) => /norm(_2)?\.weight$/.test(ggufName);

const isTurned = ({ ggufName, shape }: NamedWeight, isInputMajor: boolean) =>
  isInputMajor && shape.length === 2 && ggufName.startsWith('blk.');

const shifted = (numbers: StoredNumbers, by: number): StoredNumbers => ({
  dtype: 'float32',
  values: floatsOf(numbers).map((value) => value + by),
});

/** Rows of a fused matrix by queries, keys and values, where they stand by heads of keys. */
function concatenatedRuns({ architecture, weights }: FamilyModel, name: string): RowRun[] | null {
  const parts = weights.names.queryKeyValue;
  if (!('fused' in parts) || parts.order !== 'grouped') return null;
  const isFused = name.slice(0, name.lastIndexOf('.')).endsWith(`.${parts.fused}`);
  if (!isFused) return null;
  const { query, key, value } = fusedRows(parts.order, architecture);
  return [...query, ...key, ...value];
}

/** What brings picked rows back to their places. */
function inverseRuns(runs: readonly RowRun[]): RowRun[] {
  let start = 0;
  const moved = runs.map(({ start: place, count }) => {
    const run = { place, start, count };
    start += count;
    return run;
  });
  return moved
    .toSorted((a, b) => a.place - b.place)
    .map(({ start: from, count }) => ({ start: from, count }));
}
