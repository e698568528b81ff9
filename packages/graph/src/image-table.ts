import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DataError, type OnDefect } from '@lab/core';
import type { EntityTable } from './entity-table.js';
import { type ImageArrays, readImageArrays } from './image-arrays.js';
import { assembleImages } from './image-rows.js';
import type { ImageVectors } from './knowledge-graph.js';
import { eachRecord, parseId, recordDefect, reportDefects } from './records.js';

/** What the readers of image files share. */
export interface ImageReading {
  readonly entities: EntityTable;
  readonly onDefect: OnDefect;
  readonly remarks: string[];
}

const picklePattern = /_id_img_feature_dict\.pkl(\.gz)?$/;
const arrayPattern = /^(images?|image_features|img_features)\.(npy|npz|safetensors)(\.gz)?$/;

function imageFilesOf(dir: string, pattern: RegExp): string[] {
  if (!existsSync(dir)) return [];
  const names = readdirSync(dir).filter((name) => pattern.test(name));
  return names.sort().map((name) => join(dir, name));
}

/**
 * Path of the image file that belongs to a folder, undefined when there is none: `images.npy`,
 * `.npz` or `.safetensors`, or the community's `*_id_img_feature_dict.pkl`, plain or `.gz`, in the
 * folder, its `pkls` folder, or a `pkls` folder beside it
 * (`pkls/<folder name>_GA_id_img_feature_dict.pkl`).
 * Several candidates are a defect.
 *
 * @param dir - the data folder.
 * @param onDefect - receives the defect.
 */
export function findImageFile(dir: string, onDefect: OnDefect): string | undefined {
  const own = basename(resolve(dir)).replace(/[^A-Za-z0-9_]/g, '.');
  const found = [
    ...imageFilesOf(dir, arrayPattern),
    ...imageFilesOf(dir, picklePattern),
    ...imageFilesOf(join(dir, 'pkls'), picklePattern),
    ...imageFilesOf(join(dir, '..', 'pkls'), new RegExp(`^${own}_.*${picklePattern.source}`)),
  ];
  if (found.length > 1) {
    const names = found.map((path) => basename(path)).join(', ');
    const help = 'Keep one of them, or name the file with the option images.';
    const place = { file: found[0] as string, help };
    onDefect(new DataError(`${dir} has ${found.length} image files: ${names}.`, place));
  }
  return found[0];
}

/** Ids of an image file's rows from the list beside it: `<name>_ids`, `.txt`, plain or gzipped. */
async function readIdList(path: string, onDefect: OnDefect): Promise<number[]> {
  const ids: number[] = [];
  await eachRecord(path, onDefect, (text, line) => {
    const id = parseId(text, 0, text.length);
    if (id >= 0) ids.push(id);
    else {
      const what = `the entity id "${text}" is not a non-negative integer`;
      const place = { file: path, line, text, column: 1 };
      onDefect(
        recordDefect(place, what, 'Write one entity id per line, in the order of the rows.'),
      );
    }
  });
  return ids;
}

/** The list of row ids that stands beside an array file, undefined when there is none. */
export function findIdList(path: string): string | undefined {
  const stem = join(dirname(path), basename(path).replace(/\.[a-z]+(\.gz)?$/, ''));
  const names = [`${stem}_ids`, `${stem}_ids.txt`, `${stem}.ids`];
  return names.flatMap((name) => [name, `${name}.gz`]).find((name) => existsSync(name));
}

/** Dense entity of each row: by id, or by position when the rows are all entities in id order. */
function rowEntities(
  arrays: ImageArrays,
  ids: ArrayLike<number> | null,
  reading: ImageReading,
): ((row: number) => number) | undefined {
  const { entities, onDefect } = reading;
  const file = arrays.file;
  if (ids !== null) {
    if (ids.length === arrays.count) return (row) => entities.indexOfId(ids[row] as number);
    const what = `${file} has ${arrays.count} rows, its id list has ${ids.length}`;
    onDefect(new DataError(`image features: ${what}.`, { file, help: 'Give one id per row.' }));
    return undefined;
  }
  const count = entities.ids.length;
  if (arrays.count !== count) {
    const what = `${file} has ${arrays.count} rows, entities are ${count}`;
    const help =
      'Rebuild the file, add a list of ids (<name>_ids.txt), or read with images: false.';
    onDefect(new DataError(`image features: ${what}.`, { file, help }));
    return undefined;
  }
  const order = Int32Array.from(entities.ids.keys());
  order.sort((a, b) => (entities.ids[a] as number) - (entities.ids[b] as number));
  return (row) => order[row] as number;
}

/**
 * Image vectors from a file, and the paths that were read: `.npy` with a list of ids beside it
 * (or one row per entity in ascending id order), `.npz` or `.safetensors` with an `ids` array, or
 * a pickled dict from id to vector. Null where nothing could be used.
 *
 * @param path - the image file.
 * @param reading - entities; receives defects (wrong row counts, vectors of different length, NaN,
 *   unknown entities) and remarks.
 */
export async function readImageFile(
  path: string,
  reading: ImageReading,
): Promise<{ images: ImageVectors | null; files: string[] }> {
  const { onDefect } = reading;
  if (!existsSync(path)) {
    const help = 'Check the path, or read with images: false.';
    onDefect(new DataError(`missing image file ${path}.`, { file: path, help }));
    return { images: null, files: [] };
  }
  const arrays = await reportDefects(onDefect, () => readImageArrays(path));
  if (arrays === undefined) return { images: null, files: [path] };
  const listPath = arrays.ids === null ? findIdList(path) : undefined;
  const listed = listPath === undefined ? null : await readIdList(listPath, onDefect);
  const files = listPath === undefined ? [path] : [path, listPath];
  const entityOf = rowEntities(arrays, arrays.ids ?? listed, reading);
  if (entityOf === undefined) return { images: null, files };
  const ids = arrays.ids ?? listed;
  const labelOf = (row: number): string => `entity ${ids?.[row] ?? `of row ${row}`}`;
  const source = { file: path, count: arrays.count, vectorOf: arrays.vectorOf, entityOf, labelOf };
  return { images: assembleImages(source, imageContext(reading)), files };
}

function imageContext(reading: ImageReading): Parameters<typeof assembleImages>[1] {
  const { entities, onDefect, remarks } = reading;
  return { entityCount: entities.ids.length, leftCount: entities.leftCount, onDefect, remarks };
}
