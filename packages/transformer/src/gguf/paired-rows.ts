/**
 * Rows of queries and keys in the two orders that rotary positions have.
 *
 * In a Hugging Face checkpoint row j of a head turns with row j + D/2; in a GGUF file of the Llama
 * family they stand beside each other, as 2j and 2j + 1.
 *
 * Source: llama.cpp, `convert_hf_to_gguf.py`, `LlamaModel.permute`.
 */
import type { FamilyModel } from '../families/family.js';

/** Whether the rows of a weight turn, and how many make a head. */
export function turningHeadWidth(
  { architecture, weights }: FamilyModel,
  name: string,
): number | null {
  const { queryKeyValue: parts } = weights.names;
  if ('fused' in parts) return null;
  const module = name.slice(0, name.lastIndexOf('.'));
  const turns = module.endsWith(`.${parts.query}`) || module.endsWith(`.${parts.key}`);
  return turns ? architecture.headWidth : null;
}

type Numbers = Float32Array | Uint16Array | Uint8Array;

/** Rows with halves of a head behind each other, from those with pairs side by side. */
export const halvedRows = <T extends Numbers>(paired: T, rows: number, headWidth: number): T =>
  reordered(paired, rows, (row) => {
    const at = row % headWidth;
    const [half, pair] = at < headWidth / 2 ? [0, at] : [1, at - headWidth / 2];
    return row - at + 2 * pair + half;
  });

/** Rows with pairs side by side, from those with halves of a head behind each other. */
export const pairedRows = <T extends Numbers>(halved: T, rows: number, headWidth: number): T =>
  reordered(halved, rows, (row) => {
    const at = row % headWidth;
    return row - at + (at >> 1) + (at & 1) * (headWidth / 2);
  });

/** The same rows in another order; `from` gives the place that a row comes from. */
function reordered<T extends Numbers>(values: T, rows: number, from: (row: number) => number): T {
  const size = values.length / rows;
  const moved = new (values.constructor as { new (length: number): T })(values.length);
  for (let row = 0; row < rows; row += 1) {
    const begin = from(row) * size;
    moved.set(values.subarray(begin, begin + size), row * size);
  }
  return moved;
}
