import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  DataError,
  type FileRecord,
  formatCounted,
  hashFile,
  type OnDefect,
  throwDefect,
} from '@lab/core';
import { GraphBuilder } from './graph-builder.js';
import type { AlignmentData, ImageVectors } from './knowledge-graph.js';
import { createLinkCollector } from './link-table.js';
import { eachStatement } from './n-triples.js';
import { joinImages, readOwnImages } from './own-images.js';
import { dropDuplicateTriples } from './triple-table.js';
import { droppedRemark, ignoredRemark } from './remarks.js';
import { eachTableRow, readAttributeTable, readLinkTable, tripleColumns } from './own-tables.js';

/** Files of {@link readOwnGraphs}. */
export interface OwnGraphFiles {
  /** Graph 1: folder, CSV or TSV of triples, or N-Triples; plain or gzipped. */
  readonly source: string;
  /** Graph 2, likewise. */
  readonly target: string;
  /** Known links: CSV or TSV `left,right` of entity names, or N-Triples (`owl:sameAs`). */
  readonly links?: string | undefined;
  readonly sourceAttributes?: string | undefined;
  readonly targetAttributes?: string | undefined;
  readonly sourceImages?: string | undefined;
  readonly targetImages?: string | undefined;
  /** What to do with equal triples of one graph, default `drop` (with a remark). */
  readonly duplicateTriples?: 'keep' | 'drop' | undefined;
  readonly onDefect?: OnDefect | undefined;
}

/** The files of one graph. */
interface GraphFiles {
  readonly triples: string | undefined;
  readonly attributes: string | undefined;
  readonly images: string | undefined;
  readonly entities: string | undefined;
}

interface OwnReading {
  readonly builder: GraphBuilder;
  readonly onDefect: OnDefect;
  readonly files: FileRecord[];
  readonly remarks: string[];
  /** Graphs of which a file was not read to its end. */
  readonly cutSides: Set<1 | 2>;
}

const tableEndings = ['csv', 'tsv', 'csv.gz', 'tsv.gz'];
const tripleEndings = [...tableEndings, 'nt', 'nt.gz', 'ntriples', 'ntriples.gz'];
const imageEndings = [...tableEndings, 'npy', 'npy.gz'];

function isStatements(path: string): boolean {
  return /\.(nt|ntriples)(\.gz)?$/.test(path);
}

function inFolder(dir: string, stem: string, endings: readonly string[]): string | undefined {
  return endings.map((ending) => join(dir, `${stem}.${ending}`)).find((path) => existsSync(path));
}

/** The files of a graph given as folder or as file; what is missing is a defect. */
function graphFiles(
  path: string,
  given: { readonly attributes: string | undefined; readonly images: string | undefined },
  onDefect: OnDefect,
): GraphFiles {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const files: GraphFiles = isFolder
    ? {
        triples: inFolder(path, 'triples', tripleEndings),
        attributes: given.attributes ?? inFolder(path, 'attributes', tableEndings),
        images: given.images ?? inFolder(path, 'images', imageEndings),
        entities: inFolder(path, 'entities', tableEndings),
      }
    : { triples: path, entities: undefined, ...given };
  const needed = [files.triples ?? join(path, 'triples.csv'), files.attributes, files.images];
  const isThere = needed.map((file) => {
    if (file === undefined || existsSync(file)) return file !== undefined;
    const help = 'Check the path; a graph is a folder with triples.csv, a table, or N-Triples.';
    onDefect(new DataError(`missing file ${file}.`, { file, help }));
    return false;
  });
  return {
    triples: isThere[0] === true ? files.triples : undefined,
    attributes: isThere[1] === true ? files.attributes : undefined,
    images: isThere[2] === true ? files.images : undefined,
    entities: files.entities,
  };
}

/** Counts of the literals of an N-Triples file. */
interface LiteralCounts {
  literals: number;
  readonly languages: Set<string>;
  readonly datatypes: Set<string>;
}

async function readStatements(path: string, reading: OwnReading): Promise<void> {
  const { builder, onDefect, remarks } = reading;
  const counts: LiteralCounts = { literals: 0, languages: new Set(), datatypes: new Set() };
  await eachStatement(path, onDefect, ({ subject, predicate, object, language, datatype }) => {
    if (object !== null) {
      builder.addTriple(subject, predicate, object);
      return;
    }
    builder.addAttribute(builder.addEntity(subject), predicate);
    counts.literals += 1;
    if (language !== '') counts.languages.add(language);
    if (datatype !== '') counts.datatypes.add(datatype);
  });
  if (counts.literals === 0) return;
  const languages = formatCounted(counts.languages.size, 'language');
  const kinds = `${languages}, ${formatCounted(counts.datatypes.size, 'datatype')}`;
  const literals = formatCounted(counts.literals, 'literal');
  const what = `${literals} of ${basename(path)} taken as attributes`;
  remarks.push(`${what} (${kinds}; the values are not used).`);
}

async function readTriples(path: string, side: 1 | 2, reading: OwnReading): Promise<void> {
  const { builder, onDefect } = reading;
  reading.files.push(await hashFile(path));
  if (isStatements(path)) await readStatements(path, reading);
  else {
    const table = { file: path, columns: tripleColumns, onDefect };
    const isWhole = await eachTableRow(table, ({ cells }) => {
      builder.addTriple(cells[0] as string, cells[1] as string, cells[2] as string);
    });
    if (!isWhole) reading.cutSides.add(side);
  }
  if (builder.tripleCount > 0 || reading.cutSides.has(side)) return;
  const help = 'Give head, relation and tail in each row.';
  onDefect(new DataError(`${path}: KG${side} has no triples.`, { file: path, help }));
}

async function readAttributes(path: string, side: 1 | 2, reading: OwnReading): Promise<void> {
  const { builder, onDefect, remarks } = reading;
  reading.files.push(await hashFile(path));
  const { unknown } = await readAttributeTable(path, {
    indexOf: (name) => builder.indexOf(name),
    add: (entity, attribute) => builder.addAttribute(entity, attribute),
    onDefect,
    isWhole: !reading.cutSides.has(side),
  });
  if (unknown === 0) return;
  const file = basename(path);
  remarks.push(ignoredRemark(unknown, `row of ${file}`, `rows of ${file}`));
}

async function readGraph(
  files: GraphFiles,
  side: 1 | 2,
  reading: OwnReading,
): Promise<ImageVectors | null> {
  const { builder, onDefect, remarks } = reading;
  if (files.entities !== undefined) {
    reading.files.push(await hashFile(files.entities));
    const columns = { entity: ['entity', 'id', 'name', 'uri', 'iri', 'key'] };
    const table = { file: files.entities, columns, onDefect };
    const isWhole = await eachTableRow(table, ({ cells }) => {
      builder.addEntity(cells[0] as string);
    });
    if (!isWhole) reading.cutSides.add(side);
  }
  if (files.triples !== undefined) await readTriples(files.triples, side, reading);
  if (files.attributes !== undefined) await readAttributes(files.attributes, side, reading);
  if (files.images === undefined) return null;
  const indexOf = (name: string): number => builder.indexOf(name, side);
  const context = { indexOf, entityCount: builder.entityCount, onDefect, remarks };
  const read = await readOwnImages(files.images, context);
  for (const file of read.files) reading.files.push(await hashFile(file));
  return read.images;
}

/** The links of a file; none, without a defect, when no file was given. */
async function readLinks(file: string | undefined, reading: OwnReading): Promise<Int32Array> {
  if (file === undefined) return new Int32Array(0);
  const { onDefect } = reading;
  if (!existsSync(file)) {
    onDefect(new DataError(`missing link file ${file}.`, { file, help: 'Check the path.' }));
    return new Int32Array(0);
  }
  reading.files.push(await hashFile(file));
  const { pairs: links, isWhole } = await readLinkRows(file, reading);
  if (links.length === 0 && isWhole && reading.cutSides.size === 0) {
    const help = 'Give at least two links.';
    onDefect(new DataError(`${file}: no usable link in the file.`, { file, help }));
  }
  return links;
}

async function readLinkRows(
  path: string,
  reading: OwnReading,
): Promise<{ readonly pairs: Int32Array; readonly isWhole: boolean }> {
  const { builder, onDefect, cutSides } = reading;
  const ends = {
    indexOf: (name: string, side: 1 | 2): number => builder.indexOf(name, side),
    sideOf: (index: number): 1 | 2 => builder.sideOf(index),
    cutSides: [...cutSides],
  };
  const linkReading = { ends, onDefect, links: 'lenient' } as const;
  if (!isStatements(path)) return readLinkTable(path, linkReading);
  const collector = createLinkCollector(linkReading);
  let line = 0;
  await eachStatement(path, onDefect, ({ subject, object }) => {
    line += 1;
    const fields = [subject, object ?? ''];
    collector.add(fields, { file: path, line, text: fields.join(' ') });
  });
  return { pairs: collector.pairs(), isWhole: true };
}

/**
 * Two graphs of a user's own, known by entity names. A graph is a CSV or TSV of triples
 * (`head,relation,tail`; a heading is found by its words), an N-Triples file (a literal makes its
 * predicate an attribute of the subject), or a folder with `triples.*` and optionally
 * `attributes.*`, `images.*` and `entities.*` (entities without triples). Relations and attributes
 * of the same name are the same in both graphs.
 *
 * @param files - paths; receiver of defects (default: the first one is thrown).
 * @returns data whose ids are dense indices (`keyedBy: 'name'`).
 * @throws {DataError} the first defect, when `onDefect` is not given.
 */
export async function readOwnGraphs(files: OwnGraphFiles): Promise<AlignmentData> {
  const onDefect = files.onDefect ?? throwDefect;
  const builder = new GraphBuilder();
  const reading: OwnReading = { builder, onDefect, files: [], remarks: [], cutSides: new Set() };
  const images: (ImageVectors | null)[] = [];
  for (const side of [1, 2] as const) {
    const path = side === 1 ? files.source : files.target;
    const given =
      side === 1
        ? { attributes: files.sourceAttributes, images: files.sourceImages }
        : { attributes: files.targetAttributes, images: files.targetImages };
    if (side === 2) builder.startRight();
    images.push(await readGraph(graphFiles(path, given, onDefect), side, reading));
  }
  const links = await readLinks(files.links, reading);
  const parts = builder.build();
  const triples =
    files.duplicateTriples === 'keep' ? parts.triples : dropDuplicateTriples(parts.triples);
  const dropped = parts.triples.heads.length - triples.heads.length;
  if (dropped > 0) reading.remarks.push(droppedRemark(dropped));
  const stem = (path: string): string => basename(path).replace(/\..*$/, '');
  return {
    name: `${stem(files.source)}-${stem(files.target)}`,
    ...parts,
    triples,
    links,
    providedSplit: null,
    images: joinImages(images, reading),
    files: reading.files,
    remarks: reading.remarks,
    keyedBy: 'name',
    ...(reading.cutSides.size === 0 ? {} : { cutSides: [...reading.cutSides] }),
  };
}
