/**
 * Entities by what people call them.
 */
import { ConfigError, editDistance } from '@lab/core';
import type { AlignmentData } from '@lab/graph';

/** Names that are shown when one is unknown. */
const SHOWN = 3;

/** The last part of a name, percent signs decoded: what a person reads of an IRI. */
export function shortName(name: string): string {
  const last = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('#')) + 1);
  if (last === '') return name;
  try {
    return decodeURIComponent(last);
  } catch (error) {
    if (error instanceof URIError) return last; // not percent-encoded: taken as it is
    throw error;
  }
}

/** Finds entities of one graph by name. */
export interface NameLookup {
  /** Dense index, -1 when nothing or more than one entity is meant. */
  find(text: string): number;
  /** The names that are most like a text, best first. */
  near(text: string): string[];
}

/**
 * A lookup of the entities of a graph: by whole name, by id where the data have ids, or by the last
 * part of the name where only one entity has it.
 */
export function createNameLookup(
  data: Pick<AlignmentData, 'entityIds' | 'entityNames' | 'keyedBy'>,
  entities: Int32Array,
): NameLookup {
  const byName = new Map<string, number>();
  const byPart = new Map<string, number>();
  const byId = new Map<string, number>();
  for (const entity of entities) {
    const name = data.entityNames[entity]!;
    const part = shortName(name);
    if (!byName.has(name)) byName.set(name, entity);
    byPart.set(part, byPart.has(part) ? -1 : entity);
    if (data.keyedBy !== 'name') byId.set(String(data.entityIds[entity]), entity);
  }
  return {
    find: (text) => byName.get(text) ?? byId.get(text) ?? byPart.get(text) ?? -1,
    near: (text) => nearNames([...byName.keys()], text),
  };
}

/** Names whose last part is most like that of a text. */
function nearNames(names: readonly string[], text: string): string[] {
  const asked = shortName(text).toLowerCase();
  const distanceOf = (name: string) => {
    const part = shortName(name).toLowerCase();
    const isPart = asked.length >= 3 && part.includes(asked);
    return isPart ? part.length / 1000 : editDistance(asked, part);
  };
  const found = names.map((name) => ({ name, distance: distanceOf(name) }));
  found.sort((a, b) => a.distance - b.distance);
  return found.slice(0, SHOWN).map(({ name }) => name);
}

/**
 * The entity that a flag names.
 *
 * @param flag - as typed, e.g. `--source`.
 * @throws {ConfigError} with the nearest names when there is none of this name.
 */
export function entityOfFlag(lookup: NameLookup, flag: string, text: string): number {
  const entity = lookup.find(text);
  if (entity >= 0) return entity;
  const near = lookup.near(text);
  throw new ConfigError(
    `${flag} ${text}: no entity of this graph, or not one alone, is so named.`,
    {
      help: `give the whole name; the nearest are ${near.join(', ')}`,
      details: { name: text, nearest: near },
    },
  );
}
