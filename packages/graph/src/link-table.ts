import type { DataError, OnDefect } from '@lab/core';
import { IntList } from './int-list.js';
import { eachRecord, type RecordPlace, recordDefect } from './records.js';

/** What a link reader has to know about the entities. */
export interface LinkEnds {
  /** Dense index of the entity that `field` names (an id, or a name), -1 when unknown. */
  readonly indexOf: (field: string, side: 1 | 2) => number;
  /** Side of a dense index. */
  readonly sideOf: (index: number) => 1 | 2;
  /** Graphs that were not read to their end: unknown entities of them are no defects. */
  readonly cutSides?: readonly (1 | 2)[] | undefined;
}

/** How links are read. */
export interface LinkReading {
  readonly ends: LinkEnds;
  /** `lenient` accepts an entity in several links; a repeated pair stays a defect. */
  readonly links: 'strict' | 'lenient';
  readonly onDefect: OnDefect;
}

/** State over the lines of one link file. */
interface LinkState {
  readonly pairs: IntList;
  readonly lineOfLeft: Map<number, number>;
  readonly lineOfRight: Map<number, number>;
  readonly linesOfPair: Map<number, number>;
}

function endDefect(
  place: RecordPlace,
  ends: { readonly left: number; readonly right: number; readonly fields: readonly string[] },
  sideOf: LinkEnds['sideOf'],
): DataError | undefined {
  const { left, right, fields } = ends;
  for (const [position, index] of [left, right].entries()) {
    if (index >= 0) continue;
    const field = fields[position] as string;
    const column = position === 0 ? 1 : (fields[0] as string).length + 2;
    const side = position + 1;
    const what = `the link's KG${side} end "${field}" is no entity of KG${side}`;
    const help = 'Remove the link or add the entity to its graph.';
    return recordDefect({ ...place, column, field: side === 1 ? 'left' : 'right' }, what, help);
  }
  const sides = [sideOf(left), sideOf(right)];
  if (sides[0] === sides[1]) {
    const what = `both ends of the link, ${fields[0]} and ${fields[1]}, belong to KG${sides[0]}`;
    return recordDefect(place, what, 'A link joins an entity of KG1 to one of KG2.');
  }
  if (sides[0] === 2) {
    const what = `the link runs from KG2 (${fields[0]}) to KG1 (${fields[1]})`;
    return recordDefect(place, what, 'Write the entity of KG1 first.');
  }
  return undefined;
}

function repeatDefect(
  place: RecordPlace,
  pair: { readonly left: number; readonly right: number; readonly fields: readonly string[] },
  state: LinkState,
  isStrict: boolean,
): DataError | undefined {
  const { left, right, fields } = pair;
  const pairLine = state.linesOfPair.get(pairKey(left, right));
  if (pairLine !== undefined) {
    const what = `duplicate link ${fields[0]} - ${fields[1]}, already in line ${pairLine}`;
    return recordDefect(place, what, 'Remove the repeated line.');
  }
  const lines = [state.lineOfLeft.get(left), state.lineOfRight.get(right)];
  for (const [position, before] of lines.entries()) {
    if (!isStrict || before === undefined) continue;
    const column = position === 0 ? 1 : (fields[0] as string).length + 2;
    const what = `"${fields[position]}" already has a link, in line ${before}`;
    const help = 'Keep one link per entity, or read with links: "lenient".';
    return recordDefect({ ...place, column }, what, help);
  }
  return undefined;
}

function splitFields(text: string): string[] {
  if (text.includes('\t')) return text.split('\t');
  return text.includes(',') ? text.split(',') : text.trim().split(/ +/);
}

/** Checks links one by one and keeps the good ones. */
export interface LinkCollector {
  /** Takes a link given by the names or ids of its two ends; a bad one becomes a defect. */
  add(fields: readonly string[], place: RecordPlace): void;
  /** The good links, interleaved dense pairs in the order they came. */
  pairs(): Int32Array;
}

/**
 * A collector of links: unknown ends, both ends in one graph, swapped ends, repeated links, and
 * (when strict) a second link of an entity are defects and left out.
 *
 * @param reading - how ends are looked up and defects reported.
 */
export function createLinkCollector(reading: LinkReading): LinkCollector {
  const state: LinkState = {
    pairs: new IntList(),
    lineOfLeft: new Map(),
    lineOfRight: new Map(),
    linesOfPair: new Map(),
  };
  const { ends, onDefect } = reading;
  const isStrict = reading.links === 'strict';
  return {
    pairs: () => state.pairs.toArray(),
    add(fields, place) {
      const left = ends.indexOf(fields[0] as string, 1);
      const right = ends.indexOf(fields[1] as string, 2);
      const isCut = (side: 1 | 2) => ends.cutSides?.includes(side) === true;
      if ((left < 0 && isCut(1)) || (right < 0 && isCut(2))) return;
      const pair = { left, right, fields };
      const defect =
        endDefect(place, pair, ends.sideOf) ?? repeatDefect(place, pair, state, isStrict);
      if (defect !== undefined) {
        onDefect(defect);
        return;
      }
      state.pairs.push(left);
      state.pairs.push(right);
      state.lineOfLeft.set(left, place.line);
      state.lineOfRight.set(right, place.line);
      state.linesOfPair.set(pairKey(left, right), place.line);
    },
  };
}

/**
 * The links of one file (`KG1 entity<TAB>KG2 entity`) as interleaved dense pairs in file order;
 * what {@link createLinkCollector} refuses, and ragged lines, are defects.
 *
 * @param path - plain or gzipped text file.
 * @param reading - how ends are looked up and defects reported.
 */
export async function readLinkFile(path: string, reading: LinkReading): Promise<Int32Array> {
  const collector = createLinkCollector(reading);
  await eachRecord(path, reading.onDefect, (text, line) => {
    const fields = splitFields(text);
    const place = { file: path, line, text, column: 1 };
    if (fields.length === 2) {
      collector.add(fields, place);
      return;
    }
    const what = `expected KG1 entity<TAB>KG2 entity, found ${fields.length} field(s)`;
    reading.onDefect(recordDefect(place, what, 'Write the two ends of one link per line.'));
  });
  return collector.pairs();
}

/** A number that names the pair, for sets of pairs; exact for fewer than 2^26 entities. */
export function pairKey(left: number, right: number): number {
  return left * 0x4000000 + right;
}

/**
 * The pairs of `pairs` that are not in `removed`, in order.
 *
 * @param pairs - interleaved pairs.
 * @param removed - interleaved pairs.
 */
export function pairsWithout(pairs: Int32Array, removed: Int32Array): Int32Array {
  const keys = new Set<number>();
  for (let i = 0; i < removed.length; i += 2) {
    keys.add(pairKey(removed[i] as number, removed[i + 1] as number));
  }
  const rest = new IntList(pairs.length);
  for (let i = 0; i < pairs.length; i += 2) {
    const left = pairs[i] as number;
    const right = pairs[i + 1] as number;
    if (keys.has(pairKey(left, right))) continue;
    rest.push(left);
    rest.push(right);
  }
  return rest.toArray();
}
