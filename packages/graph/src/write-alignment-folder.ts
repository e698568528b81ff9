import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DataError, writeFileAtomic } from '@lab/core';
import { writeNpy } from '@lab/tensor/io';
import type { AlignmentData, AttributeBags } from './knowledge-graph.js';

/** Options of {@link writeAlignmentFolder}. */
export interface WriteFolderOptions {
  /** Compress the text files and give them the ending `.gz`; default false. */
  readonly gzip?: boolean;
}

const blockRecords = 65_536;

/** Lines in blocks, so that no text of the whole file is ever in memory. */
function* lineBlocks(count: number, lineOf: (index: number) => string | null): Generator<string> {
  let lines: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const line = lineOf(i);
    if (line !== null) lines.push(line, '\n');
    if (lines.length < 2 * blockRecords) continue;
    yield lines.join('');
    lines = [];
  }
  if (lines.length > 0) yield lines.join('');
}

function cleanName(name: string): string {
  if (name !== '' && !/[\t\r\n\0]/.test(name)) return name;
  const help = 'Rename it: the format has one name per field and one record per line.';
  throw new DataError(
    `graph/writeAlignmentFolder: ${JSON.stringify(name)} is empty or has a tab or line end.`,
    { help },
  );
}

function attributeLine(data: AlignmentData, bags: AttributeBags, entity: number): string | null {
  const start = bags.rowPointers[entity] as number;
  const end = bags.rowPointers[entity + 1] as number;
  if (start === end) return null;
  const names = Array.from(bags.columns.subarray(start, end), (column) =>
    cleanName(bags.names[column] as string),
  );
  return [cleanName(data.entityNames[entity] as string), ...names].join('\t');
}

type WriteLines = (name: string, count: number, lineOf: (index: number) => string | null) => void;

function createLineWriter(dir: string, isGzip: boolean): WriteLines {
  return (name, count, lineOf) => {
    const blocks = lineBlocks(count, lineOf);
    if (!isGzip) {
      writeFileAtomic(join(dir, name), blocks);
      return;
    }
    const members = function* (): Generator<Uint8Array> {
      for (const block of blocks) yield gzipSync(block); // gzip members may follow each other
    };
    writeFileAtomic(join(dir, `${name}.gz`), members());
  };
}

function writeEntitiesAndAttributes(data: AlignmentData, write: WriteLines): void {
  const { attributes, entityIds, entityNames } = data;
  for (const [side, entities] of [data.left, data.right].entries()) {
    write(`ent_ids_${side + 1}`, entities.length, (i) => {
      const entity = entities[i] as number;
      return `${entityIds[entity] as number}\t${cleanName(entityNames[entity] as string)}`;
    });
    if (attributes === null) continue;
    write(`training_attrs_${side + 1}`, entities.length, (i) =>
      attributeLine(data, attributes, entities[i] as number),
    );
  }
}

function writeTriples(data: AlignmentData, write: WriteLines): void {
  const { heads, relations, tails, leftCount } = data.triples;
  const ranges = [
    [0, leftCount],
    [leftCount, heads.length],
  ] as const;
  for (const [side, [start, end]] of ranges.entries()) {
    write(`triples_${side + 1}`, end - start, (i) => {
      const e = start + i;
      const head = data.entityIds[heads[e] as number] as number;
      const relation = data.relationIds[relations[e] as number] as number;
      return `${head}\t${relation}\t${data.entityIds[tails[e] as number] as number}`;
    });
    const used = new Set(relations.subarray(start, end));
    write(`rel_ids_${side + 1}`, data.relationIds.length, (r) =>
      used.has(r)
        ? `${data.relationIds[r] as number}\t${cleanName(data.relationNames[r] as string)}`
        : null,
    );
  }
}

/**
 * Writes the data as a folder in the layout of the field, which `readAlignmentFolder` and the
 * published codes read: `ent_ids_1/2`, `triples_1/2`, `rel_ids_1/2`, `ill_ent_ids`, with a provided
 * split also `sup_ent_ids` and `ref_ent_ids`, with attributes `training_attrs_1/2`, with images
 * `images.npy` and `images_ids.txt`. Each file is replaced as a whole or not at all.
 *
 * @param dir - folder, made when missing.
 * @param data - what to write.
 * @param options - compression.
 * @throws {DataError} when a name has a tab or line end, or the disk is full.
 */
export async function writeAlignmentFolder(
  dir: string,
  data: AlignmentData,
  options: WriteFolderOptions = {},
): Promise<void> {
  mkdirSync(dir, { recursive: true });
  const write = createLineWriter(dir, options.gzip ?? false);
  writeEntitiesAndAttributes(data, write);
  writeTriples(data, write);
  const writePairs = (name: string, pairs: Int32Array): void => {
    const id = (index: number): number => data.entityIds[pairs[index] as number] as number;
    write(name, pairs.length / 2, (i) => `${id(2 * i)}\t${id(2 * i + 1)}`);
  };
  writePairs('ill_ent_ids', data.links);
  if (data.providedSplit !== null) {
    writePairs('sup_ent_ids', data.providedSplit.seeds);
    writePairs('ref_ent_ids', data.links);
  }
  if (data.images === null) return;
  const { dimension, entities, vectors } = data.images;
  await writeNpy(join(dir, 'images.npy'), { shape: [entities.length, dimension], data: vectors });
  const idOf = (i: number): string => String(data.entityIds[entities[i] as number] as number);
  writeFileAtomic(join(dir, 'images_ids.txt'), lineBlocks(entities.length, idOf));
}
