import { DataError, hashFile, type OnDefect, throwDefect } from '@lab/core';
import type { ColumnSource } from './features.js';
import { IntList } from './int-list.js';
import type { AlignmentData, AttributeBags, TripleArrays } from './knowledge-graph.js';
import { type NameCount, NameCounter } from './name-counts.js';
import { eachStatement } from './n-triples.js';
import { eachTableRow, readAttributeTable, tripleColumns } from './own-tables.js';
import { createIdLookup, parseId } from './records.js';
import { entityNameIndices } from './seed-file.js';
import { dropDuplicateTriples } from './triple-table.js';

/** Files of {@link readAddedEntities}. */
export interface AddedFiles {
  /** Triples of the added entities: CSV, TSV or N-Triples, plain or gzipped. */
  readonly triples: string;
  /** CSV or TSV of `entity,attribute`, or a column for each attribute; it may add entities too. */
  readonly attributes?: string | undefined;
  /** The graph they come to, default 1. */
  readonly side?: 1 | 2 | undefined;
  /** What to do with triples that are there already, default `drop`. */
  readonly duplicateTriples?: 'keep' | 'drop' | undefined;
  readonly onDefect?: OnDefect | undefined;
}

/** Data with entities added after all others; features keep the columns of the data before. */
export type ExtendedData = AlignmentData & Required<ColumnSource>;

/** What {@link readAddedEntities} found. */
export interface AddedEntities {
  readonly data: ExtendedData;
  /** Dense indices of the added entities, ascending: the last ones of `data`. */
  readonly added: Int32Array;
  /** New triples that were taken. */
  readonly tripleCount: number;
  /** Relations that the data do not know, most frequent first; their triples are left out. */
  readonly unknownRelations: readonly NameCount[];
  /** Attribute names that the data do not know, most frequent first; they are left out. */
  readonly unknownAttributes: readonly NameCount[];
}

/** What is collected while files are read. */
interface Addition {
  readonly base: AlignmentData;
  readonly names: string[];
  readonly triples: { readonly [end in 'heads' | 'relations' | 'tails']: IntList };
  /** Attribute indices of each entity that got some. */
  readonly attributes: Map<number, Set<number>>;
  readonly unknownRelations: NameCounter;
  readonly unknownAttributes: NameCounter;
  /** Dense index of an entity by name or id; an unknown one is added. */
  entity(name: string): number;
  addTriple(head: string, relation: string, tail: string): void;
  addAttribute(entity: number, name: string): void;
}

/** First index of each name. */
function indexOfNames(names: readonly string[]): Map<string, number> {
  const indices = new Map<string, number>();
  names.forEach((name, index) => {
    if (!indices.has(name)) indices.set(name, index);
  });
  return indices;
}

/** Index of an entity or relation by name, else by id where the data have ids. */
function createLookup(
  names: ReadonlyMap<string, number>,
  ids: Int32Array,
  isKept: (index: number) => boolean,
): (text: string) => number {
  const byId = createIdLookup(ids);
  return (text) => {
    const known = names.get(text);
    if (known !== undefined) return known;
    const index = byId(parseId(text, 0, text.length));
    return index >= 0 && isKept(index) ? index : -1;
  };
}

function createAddition(base: AlignmentData, side: 1 | 2): Addition {
  const known = entityNameIndices(base)[side - 1]!;
  const hasIds = base.keyedBy !== 'name';
  const isOfSide = (index: number) => hasIds && base.sides[index] === side;
  const lookUp = createLookup(known, base.entityIds, isOfSide);
  const relationOf = createLookup(indexOfNames(base.relationNames), base.relationIds, () => hasIds);
  const attributeOf = indexOfNames(base.attributes?.names ?? []);
  const fresh = new Map<string, number>();
  const names: string[] = [];
  const triples = { heads: new IntList(), relations: new IntList(), tails: new IntList() };
  const attributes = new Map<number, Set<number>>();
  const unknownRelations = new NameCounter();
  const unknownAttributes = new NameCounter();
  const entity = (name: string): number => {
    const index = fresh.get(name) ?? lookUp(name);
    if (index >= 0) return index;
    fresh.set(name, base.entityCount + names.length);
    return base.entityCount + names.push(name) - 1;
  };
  const addTriple = (head: string, relation: string, tail: string): void => {
    const ends = [entity(head), entity(tail)] as const;
    const index = relationOf(relation);
    if (index < 0) return unknownRelations.add(relation);
    triples.heads.push(ends[0]);
    triples.relations.push(index);
    triples.tails.push(ends[1]);
  };
  const addAttribute = (index: number, name: string): void => {
    const attribute = attributeOf.get(name);
    if (attribute === undefined) return unknownAttributes.add(name);
    const row = attributes.get(index) ?? new Set();
    attributes.set(index, row.add(attribute));
  };
  const found = { names, triples, attributes, unknownRelations, unknownAttributes };
  return { base, ...found, entity, addTriple, addAttribute };
}

async function readTriples(file: string, addition: Addition, onDefect: OnDefect): Promise<void> {
  if (!/\.(nt|ntriples)(\.gz)?$/.test(file)) {
    await eachTableRow({ file, columns: tripleColumns, onDefect }, ({ cells }) => {
      addition.addTriple(cells[0]!, cells[1]!, cells[2]!);
    });
    return;
  }
  await eachStatement(file, onDefect, ({ subject, predicate, object }) => {
    if (object !== null) addition.addTriple(subject, predicate, object);
    else addition.addAttribute(addition.entity(subject), predicate);
  });
}

/**
 * The data with entities that come later: every entity of the files that its graph does not know.
 *
 * They follow all known entities, so that dense indices stay. Known entities are found by name, and
 * by id where the data have ids. Triples between known entities are taken as well. Relations and
 * attribute names that the data do not know are counted and left out: a trained model has no
 * weights for them.
 *
 * @param base - the data before.
 * @param files - paths, the graph, receiver of defects (default: the first one is thrown).
 * @throws {DataError} the first defect, when `onDefect` is not given; and when no entity is new.
 */
export async function readAddedEntities(
  base: AlignmentData,
  files: AddedFiles,
): Promise<AddedEntities> {
  const onDefect = files.onDefect ?? throwDefect;
  const side = files.side ?? 1;
  const addition = createAddition(base, side);
  await readTriples(files.triples, addition, onDefect);
  if (files.attributes !== undefined) {
    const { entity: indexOf, addAttribute: add } = addition;
    await readAttributeTable(files.attributes, { indexOf, add, onDefect });
  }
  if (addition.names.length === 0) onDefect(nothingAdded(files.triples, side));
  const paths = [files.triples, ...(files.attributes === undefined ? [] : [files.attributes])];
  const read = await Promise.all(paths.map((path) => hashFile(path)));
  const data = extend(addition, side, files.duplicateTriples ?? 'drop');
  return {
    data: { ...data, files: [...base.files, ...read] },
    added: Int32Array.from(addition.names, (_, at) => base.entityCount + at),
    tripleCount: data.triples.heads.length - base.triples.heads.length,
    unknownRelations: addition.unknownRelations.sorted(),
    unknownAttributes: addition.unknownAttributes.sorted(),
  };
}

function nothingAdded(file: string, side: 1 | 2): DataError {
  return new DataError(`${file}: KG${side} knows all entities of the file, 0 are new.`, {
    file,
    help: `give triples of new entities; if these are those of KG${3 - side}, say so`,
  });
}

function extend(
  { base, names, triples, attributes }: Addition,
  side: 1 | 2,
  duplicates: 'keep' | 'drop',
): ExtendedData {
  const { entityCount, sides, left, right } = base;
  const fresh = Int32Array.from(names, (_, at) => entityCount + at);
  let largestId = -1;
  for (const id of base.entityIds) largestId = Math.max(largestId, id);
  const joined = joinTriples(base.triples, triples, side);
  return {
    ...base,
    entityCount: entityCount + names.length,
    entityIds: concat(
      base.entityIds,
      fresh.map((_, at) => largestId + 1 + at),
    ),
    entityNames: [...base.entityNames, ...names],
    sides: Uint8Array.from([...sides, ...names.map(() => side)]),
    left: side === 1 ? concat(left, fresh) : left,
    right: side === 2 ? concat(right, fresh) : right,
    triples: duplicates === 'keep' ? joined : dropDuplicateTriples(joined),
    attributes:
      base.attributes === null
        ? null
        : joinAttributes(base.attributes, attributes, entityCount + names.length),
    columnsOf: (base as ColumnSource).columnsOf ?? base,
  };
}

function concat(one: Int32Array, other: Int32Array): Int32Array {
  const both = new Int32Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** Triples of a side put in behind those that it has. */
function joinTriples(base: TripleArrays, added: Addition['triples'], side: 1 | 2): TripleArrays {
  const at = side === 1 ? base.leftCount : base.heads.length;
  const join = (end: 'heads' | 'relations' | 'tails') =>
    concat(concat(base[end].slice(0, at), added[end].toArray()), base[end].slice(at));
  const leftCount = base.leftCount + (side === 1 ? added.heads.length : 0);
  return { heads: join('heads'), relations: join('relations'), tails: join('tails'), leftCount };
}

/** Rows of more entities, and rows that have become longer; columns ascend in each row. */
function joinAttributes(
  { names, rowPointers, columns }: AttributeBags,
  added: ReadonlyMap<number, ReadonlySet<number>>,
  entityCount: number,
): AttributeBags {
  const pointers = new Int32Array(entityCount + 1);
  const joined = new IntList();
  for (let i = 0; i < entityCount; i += 1) {
    const row = columns.subarray(rowPointers[i] ?? columns.length, rowPointers[i + 1] ?? 0);
    const more = added.get(i);
    const all = more === undefined ? row : [...new Set([...row, ...more])].sort((a, b) => a - b);
    for (const column of all) joined.push(column);
    pointers[i + 1] = joined.length;
  }
  return { names, rowPointers: pointers, columns: joined.toArray() };
}
