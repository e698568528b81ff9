import type { OnDefect } from '@lab/core';
import type { EntityTable } from './entity-table.js';
import { IntList } from './int-list.js';
import type { TripleArrays } from './knowledge-graph.js';
import { eachRecord, parseId, type RecordPlace, recordDefect } from './records.js';

/** Triples with relation ids as in the files. */
export interface TripleTable {
  readonly heads: IntList;
  readonly relationIds: IntList;
  readonly tails: IntList;
  leftCount: number;
}

/** An empty triple table. */
export function createTripleTable(): TripleTable {
  return {
    heads: new IntList(),
    relationIds: new IntList(),
    tails: new IntList(),
    leftCount: 0,
  };
}

function sideRangeText(index: number, entities: EntityTable, side: 1 | 2): string | undefined {
  const isLeft = index < entities.leftCount;
  if (isLeft === (side === 1)) return undefined;
  return `belongs to KG${isLeft ? 1 : 2}`;
}

/** Explains one faulty triple line: ragged, not an integer, or an unknown entity. */
function reportTriple(
  place: RecordPlace,
  side: 1 | 2,
  entities: EntityTable,
  onDefect: OnDefect,
): void {
  const fields = place.text.split('\t');
  if (fields.length !== 3) {
    const what = `expected head<TAB>relation<TAB>tail, found ${fields.length} field(s)`;
    onDefect(recordDefect(place, what, 'Separate exactly three integers by tabs.'));
    return;
  }
  let column = 1;
  for (const [position, name] of ['head', 'relation', 'tail'].entries()) {
    const field = fields[position] as string;
    const id = parseId(field, 0, field.length);
    const at = { ...place, column, field: name };
    column += field.length + 1;
    if (id < 0) {
      const what = `the ${name} "${field}" is not a non-negative integer`;
      onDefect(recordDefect(at, what, 'Use the numbers of the ent_ids and rel_ids files.'));
      return;
    }
    if (name === 'relation') continue;
    const index = entities.indexOfId(id);
    const other = index < 0 ? undefined : sideRangeText(index, entities, side);
    if (index >= 0 && other === undefined) continue;
    const what = `the ${name} ${id} ${other ?? 'is no entity'} (expected one of ent_ids_${side})`;
    onDefect(recordDefect(at, what, `Add it to ent_ids_${side} or remove the triple.`));
    return;
  }
}

/**
 * Appends the triples of one `triples` file (`head<TAB>relation<TAB>tail`, ids) to `table`.
 * Every faulty line is a defect and left out; so is a file without any triple.
 *
 * @param file - path of the file and side of its graph.
 * @param table - receives dense entity indices and relation ids.
 * @param context - entity table and receiver of defects.
 */
export async function readTriples(
  file: { readonly path: string; readonly side: 1 | 2 },
  table: TripleTable,
  context: { readonly entities: EntityTable; readonly onDefect: OnDefect },
): Promise<void> {
  const { entities, onDefect } = context;
  const { path, side } = file;
  const { indexOfId, leftCount } = entities;
  let lineCount = 0;
  await eachRecord(path, onDefect, (text, line) => {
    lineCount += 1;
    const first = text.indexOf('\t');
    const second = text.indexOf('\t', first + 1);
    const relation = parseId(text, first + 1, second);
    const tail = indexOfId(parseId(text, second + 1, text.length));
    const head = indexOfId(parseId(text, 0, first));
    const isKnown = relation >= 0 && tail >= 0 && head >= 0;
    if (isKnown && head < leftCount === (side === 1) && tail < leftCount === (side === 1)) {
      table.heads.push(head);
      table.relationIds.push(relation);
      table.tails.push(tail);
      return;
    }
    reportTriple({ file: path, line, text }, side, entities, onDefect);
  });
  if (lineCount === 0) {
    const place = { file: path, line: 1, text: '' };
    const what = `KG${side} has no triples, the file is empty`;
    onDefect(recordDefect(place, what, 'Both graphs need relation triples.'));
  }
}

/** The distinct relation ids with dense numbers, and the triples in dense numbers. */
export interface DenseTriples {
  readonly triples: TripleArrays;
  readonly relationIds: Int32Array; // [R]
  readonly dropped: number;
}

/**
 * Triples with dense relation numbers: relations named by `knownRelations` first, then others in
 * the order of their first triple. With `drop`, of equal triples only the first stays.
 *
 * @param table - triples with ids.
 * @param knownRelations - ids of the relation name files.
 * @param duplicates - what to do with equal triples.
 */
export function densifyTriples(
  table: TripleTable,
  knownRelations: readonly number[],
  duplicates: 'keep' | 'drop',
): DenseTriples {
  const dense = new Map<number, number>();
  for (const id of knownRelations) if (!dense.has(id)) dense.set(id, dense.size);
  const relations = table.relationIds.toArray();
  for (let e = 0; e < relations.length; e += 1) {
    const id = relations[e] as number;
    let index = dense.get(id);
    if (index === undefined) {
      index = dense.size;
      dense.set(id, index);
    }
    relations[e] = index;
  }
  const all: TripleArrays = {
    heads: table.heads.toArray(),
    relations,
    tails: table.tails.toArray(),
    leftCount: table.leftCount,
  };
  const triples = duplicates === 'drop' ? dropDuplicateTriples(all) : all;
  const dropped = all.heads.length - triples.heads.length;
  return { triples, relationIds: Int32Array.from(dense.keys()), dropped };
}

function tripleHash(head: number, relation: number, tail: number): number {
  let hash = Math.imul(head, 0x9e3779b1) ^ Math.imul(relation, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae3d) ^ Math.imul(tail, 0x27d4eb2f);
  hash = Math.imul(hash ^ (hash >>> 13), 0x165667b1);
  return hash ^ (hash >>> 16);
}

/**
 * The triples without repetitions, first occurrences in order. Linear time with one hash table of
 * integers; no object per triple.
 *
 * @param triples - triples of both graphs.
 */
export function dropDuplicateTriples(triples: TripleArrays): TripleArrays {
  const { heads, relations, tails } = triples;
  const count = heads.length;
  let size = 16;
  while (size < 2 * count) size *= 2;
  const slots = new Int32Array(size).fill(-1);
  const kept = new Int32Array(count);
  let keptCount = 0;
  let leftCount = 0;
  for (let e = 0; e < count; e += 1) {
    const head = heads[e] as number;
    const relation = relations[e] as number;
    const tail = tails[e] as number;
    let slot = tripleHash(head, relation, tail) & (size - 1);
    let other = slots[slot] as number;
    while (
      other >= 0 &&
      (heads[other] !== head || relations[other] !== relation || tails[other] !== tail)
    ) {
      slot = (slot + 1) & (size - 1);
      other = slots[slot] as number;
    }
    if (other >= 0) continue;
    slots[slot] = e;
    kept[keptCount] = e;
    keptCount += 1;
    if (e < triples.leftCount) leftCount += 1;
  }
  const order = kept.subarray(0, keptCount);
  const pick = (values: Int32Array): Int32Array =>
    Int32Array.from(order, (e) => values[e] as number);
  return { heads: pick(heads), relations: pick(relations), tails: pick(tails), leftCount };
}
