import type { OnDefect } from '@lab/core';
import { DataError } from '@lab/core';
import { IntList } from './int-list.js';
import type { AttributeBags } from './knowledge-graph.js';
import { eachRecord } from './records.js';

/** Collects (entity, attribute) pairs and turns them into rows. */
export class AttributeCollector {
  readonly #columnOf = new Map<string, number>();
  readonly #entities = new IntList();
  readonly #columns = new IntList();

  /** Notes that `entity` has the attribute `name`; repetitions do no harm. */
  add(entity: number, name: string): void {
    let column = this.#columnOf.get(name);
    if (column === undefined) {
      column = this.#columnOf.size;
      this.#columnOf.set(name, column);
    }
    this.#entities.push(entity);
    this.#columns.push(column);
  }

  /**
   * Attribute rows of `entityCount` entities, columns ascending and distinct in each row; null
   * when nothing was added.
   */
  bags(entityCount: number): AttributeBags | null {
    if (this.#columnOf.size === 0) return null;
    const rows = rowsFromPairs(this.#entities.toArray(), this.#columns.toArray(), entityCount);
    return { names: [...this.#columnOf.keys()], ...rows };
  }
}

/** Sorted, distinct rows of (row, column) pairs by counting sort. */
function rowsFromPairs(
  rows: Int32Array,
  columns: Int32Array,
  rowCount: number,
): { rowPointers: Int32Array; columns: Int32Array } {
  const starts = new Int32Array(rowCount + 1);
  for (const row of rows) starts[row + 1] = (starts[row + 1] as number) + 1;
  for (let i = 0; i < rowCount; i += 1) {
    starts[i + 1] = (starts[i + 1] as number) + (starts[i] as number);
  }
  const next = starts.slice(0, rowCount);
  const sorted = new Int32Array(columns.length);
  for (let e = 0; e < rows.length; e += 1) {
    const row = rows[e] as number;
    sorted[next[row] as number] = columns[e] as number;
    next[row] = (next[row] as number) + 1;
  }
  const rowPointers = new Int32Array(rowCount + 1);
  let count = 0;
  for (let i = 0; i < rowCount; i += 1) {
    const row = sorted.subarray(starts[i], starts[i + 1]).sort();
    let last = -1;
    for (const column of row) {
      if (column === last) continue;
      sorted[count] = column;
      count += 1;
      last = column;
    }
    rowPointers[i + 1] = count;
  }
  return { rowPointers, columns: sorted.slice(0, count) };
}

/** What was read from one attribute file. */
export interface AttributeCounts {
  /** Lines whose entity is unknown; ignored. */
  unknown: number;
  /** Records in the file. */
  lines: number;
}

/**
 * Adds the attributes of one `training_attrs` file (`entity name<TAB>attribute<TAB>...`) to
 * `collector` and returns the line counts. Lines of unknown entities are left out and counted;
 * when they are more than half of the file, that is a defect.
 *
 * @param path - plain or gzipped text file.
 * @param indexOf - dense index of an entity name, -1 when unknown.
 * @param collector - receives the pairs; `onDefect` receives every defect.
 */
export async function readAttributeFile(
  path: string,
  indexOf: (name: string) => number,
  target: { readonly collector: AttributeCollector; readonly onDefect: OnDefect },
): Promise<AttributeCounts> {
  const counts: AttributeCounts = { unknown: 0, lines: 0 };
  let firstUnknown: { readonly line: number; readonly text: string } | undefined;
  await eachRecord(path, target.onDefect, (text, line) => {
    counts.lines += 1;
    const tab = text.indexOf('\t');
    const entity = indexOf(tab < 0 ? text : text.slice(0, tab));
    if (entity < 0) {
      counts.unknown += 1;
      firstUnknown ??= { line, text };
      return;
    }
    for (let start = tab + 1; tab >= 0 && start <= text.length; ) {
      const end = text.indexOf('\t', start);
      const stop = end < 0 ? text.length : end;
      if (stop > start) target.collector.add(entity, text.slice(start, stop));
      start = stop + 1;
    }
  });
  if (firstUnknown !== undefined && 2 * counts.unknown > counts.lines) {
    const what = `${counts.unknown} of ${counts.lines} lines name an entity that is not in ent_ids`;
    const help = 'The first column must be the entity name, as in column 2 of ent_ids.';
    const place = { file: path, line: firstUnknown.line, text: firstUnknown.text, column: 1 };
    target.onDefect(new DataError(`${path}: ${what}.`, { ...place, help }));
  }
  return counts;
}
