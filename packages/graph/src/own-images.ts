import { DataError, type OnDefect } from '@lab/core';
import { readCsv } from '@lab/core/csv';
import { readImageArrays } from './image-arrays.js';
import { assembleImages, type ImageRows } from './image-rows.js';
import { findIdList } from './image-table.js';
import type { ImageVectors } from './knowledge-graph.js';
import { rowText } from './own-tables.js';
import { eachRecord, recordDefect, reportDefects } from './records.js';

/** What a reader of an own image table needs. */
export interface OwnImageReading {
  /** Dense index of an entity name, -1 when unknown. */
  readonly indexOf: (name: string) => number;
  readonly entityCount: number;
  readonly onDefect: OnDefect;
  readonly remarks: string[];
}

/** Names and vectors of a CSV or TSV table; a first row without numbers is a heading. */
async function readImageCsv(
  file: string,
  onDefect: OnDefect,
): Promise<{ names: string[]; vectors: Float32Array[] }> {
  const names: string[] = [];
  const vectors: Float32Array[] = [];
  let isFirst = true;
  const take = (row: string[], line: number): void => {
    const numbers = row.slice(1).map((cell) => (cell.trim() === '' ? Number.NaN : Number(cell)));
    const bad = numbers.findIndex((value) => !Number.isFinite(value));
    const isHeading = isFirst && numbers.every((value) => Number.isNaN(value));
    isFirst = false;
    if (isHeading && numbers.length > 0) return;
    if (bad < 0 && numbers.length > 0) {
      names.push((row[0] as string).trim());
      vectors.push(Float32Array.from(numbers));
      return;
    }
    const cell = numbers.length === 0 ? 'no numbers' : `"${row[bad + 1]}" in column ${bad + 2}`;
    const place = { file, line, text: rowText(row).slice(0, 200) };
    onDefect(recordDefect(place, `image vector with ${cell}`, 'Give finite numbers only.'));
  };
  await reportDefects(onDefect, () => readCsv(file, { onDefect }, take));
  return { names, vectors };
}

async function readNameList(file: string, onDefect: OnDefect): Promise<string[]> {
  const names: string[] = [];
  await eachRecord(file, onDefect, (text) => names.push(text));
  return names;
}

/** Rows of an array file with a list of entity names beside it. */
async function readNamedArray(
  file: string,
  onDefect: OnDefect,
): Promise<{ names: string[]; vectorOf: (row: number) => ArrayLike<number>; list: string } | null> {
  const arrays = await readImageArrays(file);
  const list = findIdList(file);
  if (list === undefined) {
    const help = 'Write one entity name per line into <name>_ids.txt, in the order of the rows.';
    onDefect(new DataError(`${file} has no list of entity names beside it.`, { file, help }));
    return null;
  }
  const names = await readNameList(list, onDefect);
  if (names.length !== arrays.count) {
    const what = `image features: ${file} has ${arrays.count} rows, its list has ${names.length}`;
    onDefect(new DataError(`${what}.`, { file, help: 'Give one entity name per row.' }));
    return null;
  }
  return { names, vectorOf: arrays.vectorOf, list };
}

/**
 * Image vectors of one own graph and the files read: a CSV or TSV of `entity, number, number, ...`
 * or an npy matrix with a list of entity names beside it (`<name>_ids.txt`).
 *
 * @param file - path.
 * @param reading - entities; receives defects and remarks.
 */
export async function readOwnImages(
  file: string,
  reading: OwnImageReading,
): Promise<{ images: ImageVectors | null; files: string[] }> {
  const { indexOf, entityCount, onDefect, remarks } = reading;
  const isTable = /\.(csv|tsv|txt)(\.gz)?$/.test(file);
  const found = isTable
    ? await readImageCsv(file, onDefect)
    : await reportDefects(onDefect, () => readNamedArray(file, onDefect));
  if (found === undefined || found === null) return { images: null, files: [file] };
  const { names } = found;
  const rows: ImageRows = {
    file,
    count: names.length,
    vectorOf: 'vectors' in found ? (row) => found.vectors[row] as Float32Array : found.vectorOf,
    entityOf: (row) => indexOf(names[row] as string),
    labelOf: (row) => `entity "${names[row]}"`,
  };
  const context = { entityCount, leftCount: 0, onDefect, remarks: [] as string[] };
  const images = assembleImages(rows, context);
  remarks.push(...context.remarks.filter((remark) => !remark.startsWith('Only KG')));
  return { images, files: 'list' in found ? [file, found.list] : [file] };
}

/**
 * The image vectors of both graphs in one list, null when there are none. Vectors of different
 * length on the two sides are a defect; images on one side only are a remark.
 */
export function joinImages(
  sides: readonly (ImageVectors | null)[],
  reading: Pick<OwnImageReading, 'onDefect' | 'remarks'>,
): ImageVectors | null {
  const [left = null, right = null] = sides;
  if (left === null || right === null) {
    const only = left ?? right;
    if (only !== null) reading.remarks.push(`Only KG${left === null ? 2 : 1} has images.`);
    return only;
  }
  if (left.dimension !== right.dimension) {
    const what = `image vectors have ${left.dimension} numbers in KG1, ${right.dimension} in KG2`;
    const help = 'Use the same image encoder for both graphs.';
    reading.onDefect(new DataError(`${what}.`, { help }));
    return left;
  }
  const entities = Int32Array.from([...left.entities, ...right.entities]);
  const vectors = new Float32Array(left.vectors.length + right.vectors.length);
  vectors.set(left.vectors);
  vectors.set(right.vectors, left.vectors.length);
  return { dimension: left.dimension, entities, vectors };
}
