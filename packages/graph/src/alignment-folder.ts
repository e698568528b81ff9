import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import {
  DataError,
  type FileRecord,
  findFile,
  hashFile,
  type OnDefect,
  throwDefect,
} from '@lab/core';
import { AttributeCollector, readAttributeFile } from './attribute-table.js';
import { type EntityTable, readEntityTable } from './entity-table.js';
import { findImageFile, readImageFile } from './image-table.js';
import type { AlignmentData, AttributeBags, ImageVectors } from './knowledge-graph.js';
import { type LinkEnds, pairsWithout, readLinkFile } from './link-table.js';
import { eachRecord, parseId, recordDefect } from './records.js';
import { droppedRemark, ignoredRemark } from './remarks.js';
import {
  createTripleTable,
  type DenseTriples,
  densifyTriples,
  readTriples,
} from './triple-table.js';

/** Options of {@link readAlignmentFolder}. */
export interface AlignmentFolderOptions {
  /** Path of the image file; false reads none; default: look for one in the folder. */
  readonly images?: string | false | undefined;
  /** What to do with equal triples of one graph, default `keep` (they count twice). */
  readonly duplicateTriples?: 'keep' | 'drop' | undefined;
  /** `strict`: a second link of an entity is a defect; default `lenient`: it is remarked. */
  readonly links?: 'strict' | 'lenient' | undefined;
  /** Receives every defect while reading goes on; default: the first one is thrown. */
  readonly onDefect?: OnDefect | undefined;
}

/** Everything a reading step may use and add to. */
interface FolderReading {
  readonly dir: string;
  readonly options: AlignmentFolderOptions;
  readonly onDefect: OnDefect;
  readonly files: FileRecord[];
  readonly remarks: string[];
}

type Paths = readonly [string | undefined, string | undefined];

const needed = 'The folder needs ent_ids_1, ent_ids_2, triples_1, triples_2 and ill_ent_ids.';

/** Path of the first of `names` that is there; a defect when none is and `isNeeded`. */
async function locate(
  reading: FolderReading,
  names: string[],
  isNeeded = false,
): Promise<string | undefined> {
  const path = findFile(reading.dir, names);
  if (path !== undefined) reading.files.push(await hashFile(path));
  else if (isNeeded) {
    const missing = join(reading.dir, names[0] as string);
    const what = `missing file ${names.join(' or ')} (plain or .gz) in the folder "${reading.dir}"`;
    reading.onDefect(new DataError(`${what}.`, { file: missing, help: needed }));
  }
  return path;
}

async function readRelationNames(
  reading: FolderReading,
): Promise<{ ids: number[]; names: Map<number, string> }> {
  const names = new Map<number, string>();
  for (const side of [1, 2]) {
    const file = await locate(reading, [`rel_ids_${side}`]);
    if (file === undefined) continue;
    await eachRecord(file, reading.onDefect, (text, line) => {
      const fields = text.split('\t');
      const id = parseId(text, 0, (fields[0] as string).length);
      const place = { file, line, text, column: 1 };
      if (fields.length !== 2) {
        const what = `expected id<TAB>name, found ${fields.length} field(s)`;
        reading.onDefect(recordDefect(place, what, 'Write one relation per line.'));
      } else if (id < 0) {
        const what = `the relation id "${fields[0]}" is not a non-negative integer`;
        reading.onDefect(recordDefect(place, what, 'Number the relations from 0.'));
      } else if (!names.has(id)) names.set(id, fields[1] as string);
    });
  }
  return { ids: [...names.keys()], names };
}

/** Whether the graph has entities; without, its other files would be all defects. */
function hasEntities(entities: EntityTable, side: number): boolean {
  return side === 1 ? entities.leftCount > 0 : entities.leftCount < entities.ids.length;
}

async function readAllTriples(
  reading: FolderReading,
  entities: EntityTable,
  knownRelations: readonly number[],
): Promise<DenseTriples> {
  const table = createTripleTable();
  for (const side of [1, 2] as const) {
    const names = [`triples_${side}`, `triples_${side}_partial`];
    const path = await locate(reading, names, true);
    if (path?.includes('_partial')) {
      const file = basename(path);
      reading.remarks.push(`KG${side} is incomplete: its triples come from ${file}.`);
    }
    if (path !== undefined && hasEntities(entities, side)) {
      await readTriples({ path, side }, table, { entities, onDefect: reading.onDefect });
    }
    if (side === 1) table.leftCount = table.heads.length;
  }
  const dense = densifyTriples(table, knownRelations, reading.options.duplicateTriples ?? 'keep');
  if (dense.dropped > 0) {
    reading.remarks.push(droppedRemark(dense.dropped));
  }
  return dense;
}

/** Gold links, and the split the folder came with. */
type Links = Pick<AlignmentData, 'links' | 'providedSplit'>;

async function readLinks(reading: FolderReading, entities: EntityTable): Promise<Links> {
  const ends: LinkEnds = {
    indexOf: (field) => entities.indexOfId(parseId(field, 0, field.length)),
    sideOf: (index) => (index < entities.leftCount ? 1 : 2),
  };
  const { onDefect } = reading;
  const read = async (path: string | undefined): Promise<Int32Array | undefined> => {
    if (path === undefined) return undefined;
    if (!hasEntities(entities, 1) || !hasEntities(entities, 2)) return new Int32Array(0);
    const pairs = await readLinkFile(path, {
      ends,
      onDefect,
      links: reading.options.links ?? 'lenient',
    });
    if (pairs.length === 0) {
      const help = 'Give at least two links.';
      onDefect(new DataError(`${path}: no usable link in the file.`, { file: path, help }));
    }
    return pairs;
  };
  const all = await read(await locate(reading, ['ill_ent_ids']));
  const seeds = await read(await locate(reading, ['sup_ent_ids']));
  const reference = await read(await locate(reading, ['ref_ent_ids']));
  if (all === undefined && seeds === undefined && reference === undefined) {
    await locate(reading, ['ill_ent_ids', 'ref_ent_ids', 'sup_ent_ids'], true);
  }
  const combined = combineLinks(all, seeds, reference);
  const several = combined.links.length - new Set(combined.links).size;
  if (several > 0) reading.remarks.push(`${several} links join an entity that has another link.`);
  return combined;
}

/** If every seed is in the reference links these are all links, otherwise the union is. */
function combineLinks(
  all: Int32Array | undefined,
  seeds: Int32Array | undefined,
  reference: Int32Array | undefined,
): Links {
  const given = reference ?? new Int32Array(0);
  if (seeds === undefined) return { links: all ?? given, providedSplit: null };
  const test = pairsWithout(given, seeds);
  const isSubset = given.length - test.length === seeds.length;
  const union = isSubset ? given : Int32Array.from([...seeds, ...test]);
  return { links: all ?? union, providedSplit: test.length > 0 ? { seeds, test } : null };
}

async function readAttributes(
  reading: FolderReading,
  entities: EntityTable,
): Promise<AttributeBags | null> {
  const collector = new AttributeCollector();
  const present: number[] = [];
  for (const side of [1, 2]) {
    const path = await locate(reading, [`training_attrs_${side}`]);
    if (path === undefined || !hasEntities(entities, side)) continue;
    const indices = nameIndices(entities, side === 1);
    const indexOf = (name: string): number => indices.get(name) ?? -1;
    const counts = await readAttributeFile(path, indexOf, {
      collector,
      onDefect: reading.onDefect,
    });
    if (counts.lines > 0) present.push(side);
    if (counts.unknown > 0) {
      const file = basename(path);
      reading.remarks.push(ignoredRemark(counts.unknown, `line of ${file}`, `lines of ${file}`));
    }
  }
  if (present.length === 1) reading.remarks.push(`Only KG${present[0]} has attributes.`);
  if (present.length === 0) reading.remarks.push('There are no attributes.');
  return collector.bags(entities.ids.length);
}

function nameIndices(entities: EntityTable, isLeft: boolean): Map<string, number> {
  const indices = new Map<string, number>();
  const start = isLeft ? 0 : entities.leftCount;
  const end = isLeft ? entities.leftCount : entities.ids.length;
  for (let i = start; i < end; i += 1) {
    const name = entities.names[i] as string;
    if (!indices.has(name)) indices.set(name, i);
  }
  return indices;
}

async function readImages(
  reading: FolderReading,
  entities: EntityTable,
): Promise<ImageVectors | null> {
  if (reading.options.images === false) return null;
  const path = reading.options.images ?? findImageFile(reading.dir, reading.onDefect);
  if (path === undefined) {
    reading.remarks.push('There are no images.');
    return null;
  }
  const context = { entities, onDefect: reading.onDefect, remarks: reading.remarks };
  const { images, files } = await readImageFile(path, context);
  for (const file of files) reading.files.push(await hashFile(file));
  return images;
}

function sideArrays(entities: EntityTable): Pick<AlignmentData, 'sides' | 'left' | 'right'> {
  const count = entities.ids.length;
  const sides = new Uint8Array(count).fill(2).fill(1, 0, entities.leftCount);
  const all = Int32Array.from({ length: count }, (_, i) => i);
  return { sides, left: all.slice(0, entities.leftCount), right: all.slice(entities.leftCount) };
}

/**
 * Two knowledge graphs with links, attributes and images from a folder in the layout of the
 * field: `ent_ids_1/2`, `triples_1/2` (or `triples_1_partial`), `ill_ent_ids` or `sup_ent_ids` /
 * `ref_ent_ids`, optionally `rel_ids_1/2`, `training_attrs_1/2` and an image file; each text
 * file plain or gzipped. Nothing in the folder is executed or changed.
 *
 * @param dir - the folder.
 * @param options - images, duplicate triples, links, receiver of defects.
 * @throws {DataError} the first defect, when `onDefect` is not given.
 */
export async function readAlignmentFolder(
  dir: string,
  options: AlignmentFolderOptions = {},
): Promise<AlignmentData> {
  const onDefect = options.onDefect ?? throwDefect;
  const reading: FolderReading = { dir, options, onDefect, files: [], remarks: [] };
  if (!existsSync(dir) || !statSync(dir).isDirectory()) {
    const help = 'Give the folder that holds the files.';
    onDefect(new DataError(`${dir} is not a folder.`, { file: dir, help }));
  }
  const paths: Paths = [
    await locate(reading, ['ent_ids_1'], true),
    await locate(reading, ['ent_ids_2'], true),
  ];
  const entities = await readEntityTable(paths, onDefect);
  const relations = await readRelationNames(reading);
  const { triples, relationIds } = await readAllTriples(reading, entities, relations.ids);
  const links = await readLinks(reading, entities);
  const attributes = await readAttributes(reading, entities);
  const images = await readImages(reading, entities);
  return {
    name: basename(resolve(dir)),
    entityCount: entities.ids.length,
    entityIds: entities.ids,
    entityNames: entities.names,
    ...sideArrays(entities),
    triples,
    relationIds,
    relationNames: Array.from(relationIds, (id) => relations.names.get(id) ?? String(id)),
    ...links,
    attributes,
    images,
    files: reading.files,
    remarks: reading.remarks,
    keyedBy: 'id',
  };
}
