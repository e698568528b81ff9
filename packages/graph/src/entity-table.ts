import type { DataError, OnDefect } from '@lab/core';
import { IntList } from './int-list.js';
import {
  createIdLookup,
  eachRecord,
  type IdLookup,
  parseId,
  type RecordPlace,
  recordDefect,
} from './records.js';

/** The entities of both graphs in file order, KG1 first. */
export interface EntityTable {
  readonly ids: Int32Array; // [N]
  readonly names: readonly string[]; // [N]
  readonly leftCount: number;
  readonly indexOfId: IdLookup;
}

/** Line numbers of the ids seen so far; lines of KG2 are negative. */
type SeenLines = Map<number, number>;

function entityDefect(place: RecordPlace, id: number, seen: SeenLines): DataError | undefined {
  const fields = place.text.split('\t');
  if (fields.length !== 2 || fields[1] === '') {
    const count = fields.length === 2 ? 'an empty name' : `${fields.length} field(s)`;
    const help = 'Write one id and one name per line, separated by one tab.';
    return recordDefect(place, `expected id<TAB>name, found ${count}`, help);
  }
  if (id < 0) {
    const what = `the id "${fields[0]}" is not a non-negative integer`;
    return recordDefect(place, what, 'Number the entities with whole numbers from 0.');
  }
  const before = seen.get(id);
  if (before === undefined) return undefined;
  const first = `${before < 0 ? 'KG2' : 'KG1'}, line ${Math.abs(before)}`;
  const what = `the entity id ${id} was given before (${first})`;
  return recordDefect(place, what, 'Give every entity of both graphs its own id.');
}

function noEntities(file: string, side: number): DataError {
  const place = { file, line: 1, text: '' };
  return recordDefect(place, `KG${side + 1} has no entities`, 'Both graphs need entities.');
}

/**
 * The entities of the two `ent_ids` files (`id<TAB>name`). Ids may have gaps; an id that occurs
 * twice, also across the files, is a defect and its second line is left out.
 *
 * @param paths - file of KG1 and of KG2, undefined where missing.
 * @param onDefect - receives every defect.
 */
export async function readEntityTable(
  paths: readonly [string | undefined, string | undefined],
  onDefect: OnDefect,
): Promise<EntityTable> {
  const ids = new IntList();
  const names: string[] = [];
  const seen: SeenLines = new Map();
  let leftCount = 0;
  for (const [side, file] of paths.entries()) {
    if (file !== undefined) {
      let lineCount = 0;
      await eachRecord(file, onDefect, (text, line) => {
        lineCount += 1;
        const tab = text.indexOf('\t');
        const id = parseId(text, 0, tab);
        const isPlain = tab > 0 && tab < text.length - 1 && !text.includes('\t', tab + 1);
        if (isPlain && id >= 0 && !seen.has(id)) {
          seen.set(id, side === 0 ? line : -line);
          ids.push(id);
          names.push(text.slice(tab + 1));
          return;
        }
        const defect = entityDefect({ file, line, text, column: 1 }, id, seen);
        if (defect !== undefined) onDefect(defect);
      });
      if (lineCount === 0) onDefect(noEntities(file, side));
    }
    if (side === 0) leftCount = ids.length;
  }
  const array = ids.toArray();
  return { ids: array, names, leftCount, indexOfId: createIdLookup(array) };
}
