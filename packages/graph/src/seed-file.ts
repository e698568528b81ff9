import { DataError, type OnDefect, throwDefect, writeFileAtomic } from '@lab/core';
import type { AlignmentData } from './knowledge-graph.js';
import { readLinkFile } from './link-table.js';
import { readLinkTable } from './own-tables.js';
import { createIdLookup, parseId } from './records.js';

type Entities = Pick<AlignmentData, 'entityIds' | 'entityNames' | 'sides' | 'keyedBy' | 'cutSides'>;

/** First dense index of each name, per graph. */
export function entityNameIndices(
  data: Pick<AlignmentData, 'entityNames' | 'sides'>,
): readonly [Map<string, number>, Map<string, number>] {
  const indices = [new Map<string, number>(), new Map<string, number>()] as const;
  for (let i = 0; i < data.entityNames.length; i += 1) {
    const map = indices[data.sides[i] === 1 ? 0 : 1];
    const name = data.entityNames[i] as string;
    if (!map.has(name)) map.set(name, i);
  }
  return indices;
}

/**
 * Dense index of an entity given by id or by name. Ids go first, names first where the data know
 * entities by name only (`keyedBy: 'name'`).
 */
function createEntityLookup(data: Entities): (field: string, side: 1 | 2) => number {
  const byId = createIdLookup(data.entityIds);
  const names = entityNameIndices(data);
  return (field, side) => {
    const name = names[side - 1]?.get(field);
    if (data.keyedBy === 'name' && name !== undefined) return name;
    const index = data.keyedBy === 'name' ? -1 : byId(parseId(field, 0, field.length));
    return index >= 0 ? index : (name ?? -1);
  };
}

/**
 * The pairs of a seed file (`KG1 entity<TAB>KG2 entity`; ids, or names) as interleaved dense
 * pairs in file order. A `.csv` file may have a heading, quotes and further columns. Bad lines are
 * defects, and so is a file without any pair.
 *
 * @param file - plain or gzipped text file.
 * @param data - the graphs the seeds belong to.
 * @param options - receiver of defects; default: the first one is thrown.
 */
export async function readSeeds(
  file: string,
  data: Entities,
  options: { readonly onDefect?: OnDefect; readonly links?: 'strict' | 'lenient' } = {},
): Promise<Int32Array> {
  const onDefect = options.onDefect ?? throwDefect;
  const ends = {
    indexOf: createEntityLookup(data),
    sideOf: (index: number): 1 | 2 => (data.sides[index] === 1 ? 1 : 2),
    cutSides: data.cutSides,
  };
  const reading = { ends, onDefect, links: options.links ?? 'lenient' };
  const isTable = /\.csv(\.gz)?$/.test(file);
  const { pairs: seeds, isWhole } = isTable
    ? await readLinkTable(file, reading)
    : { pairs: await readLinkFile(file, reading), isWhole: true };
  const isCut = !isWhole || data.cutSides !== undefined;
  if (seeds.length === 0 && !isCut) {
    const help = 'Write one KG1 entity and one KG2 entity per line, separated by a tab.';
    onDefect(new DataError(`${file}: the seed set is empty.`, { file, help }));
  }
  return seeds;
}

/**
 * Writes pairs as a seed file that {@link readSeeds} reads back: ids, or names where the data know
 * entities by name only. The file is replaced as a whole or not at all.
 *
 * @param file - path to write.
 * @param data - the graphs the pairs belong to.
 * @param pairs - interleaved dense pairs.
 */
export function writeSeeds(file: string, data: Entities, pairs: Int32Array): void {
  const label = (index: number): string =>
    data.keyedBy === 'name'
      ? (data.entityNames[index] as string)
      : String(data.entityIds[index] as number);
  const lines: string[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    lines.push(`${label(pairs[i] as number)}\t${label(pairs[i + 1] as number)}\n`);
  }
  writeFileAtomic(file, lines.join(''));
}

/** A name without its prefix, case, accents and punctuation: what two spellings share. */
function plainName(name: string): string {
  const last = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('#')) + 1);
  let decoded = last;
  try {
    decoded = decodeURIComponent(last);
  } catch (error) {
    if (!(error instanceof URIError)) throw error; // not percent-encoded: taken as it is
  }
  const letters = decoded.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  return letters.replace(/[^\p{L}\p{N}]+/gu, ' ').trim();
}

/**
 * Seed pairs made without gold links: entities whose names agree (last part of the URI; case,
 * accents and punctuation ignored) and are unique in both graphs. Such seeds leak the answer
 * wherever names are translations of each other: label every result that used them.
 *
 * @param data - entity names.
 * @param method - `names`, the only one so far.
 * @returns interleaved dense pairs, in the order of KG1.
 * @throws {DataError} when no name agrees.
 */
export function automaticSeeds(
  data: Pick<AlignmentData, 'entityNames' | 'left' | 'right'>,
  method: 'names',
): Int32Array {
  const index = (entities: Int32Array): Map<string, number> => {
    const found = new Map<string, number>();
    for (const entity of entities) {
      const name = plainName(data.entityNames[entity] as string);
      if (name !== '') found.set(name, found.has(name) ? -1 : entity);
    }
    return found;
  };
  const right = index(data.right);
  const pairs: number[] = [];
  for (const [name, entity] of index(data.left)) {
    const partner = right.get(name) ?? -1;
    if (entity >= 0 && partner >= 0) pairs.push(entity, partner);
  }
  if (pairs.length === 0) {
    const help = 'Give a seed file with some known pairs.';
    throw new DataError(`graph/automaticSeeds: no two ${method} agree.`, { help });
  }
  return Int32Array.from(pairs);
}
