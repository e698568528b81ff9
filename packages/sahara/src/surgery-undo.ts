/**
 * What surgery took away, kept beside the checkpoint, so that it can be put back.
 */
import { copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, makeFolder } from '@lab/core';
import { openSafetensors, type TypedArray, writeSafetensors } from '@lab/tensor/io';
import {
  checkpointFolder,
  editCheckpoint,
  type EditCheckpointOptions,
  type EditedCheckpoint,
  type HeadSlice,
} from '@lab/transformer';

/** Folder, in that of an edited checkpoint, of the numbers that were there before. */
export const undoFolder = 'sahara-undo';

/** Files of {@link undoFolder}: an edit each, from 1. */
const FILE = /^edit-(\d+)\.safetensors$/;

/** Numbers of a slice before an edit. */
export interface KeptSlice {
  readonly slice: HeadSlice;
  readonly numbers: TypedArray;
}

type Numbers = { [at: number]: number; readonly length: number };

/** Places of the numbers of a slice in its weight, in their order. */
function* placesOf(shape: readonly number[], { axis, start, count }: HeadSlice): Generator<number> {
  const columns = shape[1] ?? 1;
  const rows = axis === 0 ? [start, start + count] : [0, shape[0]!];
  const range = axis === 0 ? [0, columns] : [start, start + count];
  for (let row = rows[0]!; row < rows[1]!; row += 1) {
    for (let column = range[0]!; column < range[1]!; column += 1) yield row * columns + column;
  }
}

/** A copy of the numbers of slices of one weight. */
export function keptSlices(
  numbers: TypedArray,
  shape: readonly number[],
  slices: readonly HeadSlice[],
): KeptSlice[] {
  return slices.map((slice) => {
    const own = [...placesOf(shape, slice)].map((at) => Number(numbers[at]));
    const isDouble = numbers instanceof Float64Array;
    return { slice, numbers: isDouble ? Float64Array.from(own) : Float32Array.from(own) };
  });
}

/**
 * Writes what an edit took away into the folder of the checkpoint that it made, behind what earlier
 * edits took.
 *
 * @param from - the checkpoint that was edited, which may have been edited before.
 */
export async function keepForUndo(
  from: string,
  to: string,
  slices: readonly KeptSlice[],
): Promise<void> {
  const folder = join(to, undoFolder);
  forgetEdits(to);
  makeFolder(folder);
  const earlier = editFiles(checkpointFolder(from));
  for (const { path, name } of earlier) copyFileSync(path, join(folder, name));
  const next = (earlier.at(-1)?.edit ?? 0) + 1;
  const tensors = slices.map(
    ({ slice: { name, axis, start, count }, numbers }) =>
      [`${name}:${axis}:${start}:${count}`, { shape: [numbers.length], data: numbers }] as const,
  );
  await writeSafetensors(join(folder, `edit-${next}.safetensors`), Object.fromEntries(tensors));
}

interface EditFile {
  readonly edit: number;
  readonly name: string;
  readonly path: string;
}

/** Files of edits, the first edit first. */
function editFiles(folder: string): EditFile[] {
  const own = join(folder, undoFolder);
  if (!existsSync(own)) return [];
  return readdirSync(own)
    .flatMap((name) => {
      const [, edit] = FILE.exec(name) ?? [];
      return edit === undefined ? [] : [{ edit: Number(edit), name, path: join(own, name) }];
    })
    .toSorted((a, b) => a.edit - b.edit);
}

/** Takes away what a checkpoint that was replaced had kept. */
function forgetEdits(folder: string): void {
  for (const { path } of editFiles(folder)) rmSync(path);
}

/** How surgery is undone. */
export interface UndoOptions
  extends Pick<EditCheckpointOptions, 'force' | 'onProgress' | 'signal'> {
  /** Name of the text in the headers that tells of edits; it goes. */
  readonly field: string;
}

/**
 * Writes the checkpoint as it was before all surgery: the numbers that were kept are put back, the
 * last edit first, and the headers no longer tell of it.
 *
 * @throws {DataError} for a checkpoint that keeps nothing: it was not edited, or by an earlier
 *   version.
 */
export async function undoEdits(
  path: string,
  to: string,
  { field, ...options }: UndoOptions,
): Promise<EditedCheckpoint> {
  const folder = checkpointFolder(path);
  const edits = editFiles(folder).toReversed();
  if (edits.length === 0) {
    throw new DataError(`${path}: has no ${undoFolder}, so nothing to put back.`, {
      file: join(folder, undoFolder),
      help: 'Take the heads from the original: surgery --donor ORIGINAL --parts heads --heads ...',
    });
  }
  const kept = new Map<string, KeptSlice[]>();
  for (const { path: file } of edits) {
    for (const one of await readKept(file)) {
      kept.set(one.slice.name, [...(kept.get(one.slice.name) ?? []), one]);
    }
  }
  const written = await editCheckpoint(folder, to, {
    ...options,
    change: (name, { shape }) => {
      const own = kept.get(name);
      if (own === undefined) return null;
      return (numbers) => {
        for (const one of own) putBack(numbers as Numbers, shape, one);
        return numbers;
      };
    },
    metadata: ({ [field]: _, ...rest }) => rest,
  });
  forgetEdits(to);
  return written;
}

function putBack(target: Numbers, shape: readonly number[], { slice, numbers }: KeptSlice): void {
  let at = 0;
  for (const place of placesOf(shape, slice)) {
    target[place] = Number(numbers[at]);
    at += 1;
  }
}

/** Slices of a file; heads are named once, so that those of an edit do not overlap. */
async function readKept(path: string): Promise<KeptSlice[]> {
  const file = openSafetensors(path);
  try {
    const slices: KeptSlice[] = [];
    for (const key of file.entries.keys()) {
      const [, name, axis, start, count] = /^(.*):([01]):(\d+):(\d+)$/.exec(key) ?? [];
      if (name === undefined) {
        throw new DataError(`${path}: "${key}" is no slice of a weight.`, {
          ...{ file: path, field: key, help: 'The file is of another version, or was changed.' },
        });
      }
      slices.push({
        slice: { name, axis: axis === '0' ? 0 : 1, start: Number(start), count: Number(count) },
        numbers: (await file.read(key)).data,
      });
    }
    return slices;
  } finally {
    file.close();
  }
}
