/**
 * The triples of both graphs by entity.
 */
import type { AlignmentData } from '@lab/graph';

/** A relation that joins an entity to a neighbour. */
export interface RelationLink {
  /** Name of the relation; its id as text where the data have no names. */
  readonly relation: string;
  /** Whether the triple leads from the neighbour to the entity. */
  readonly isInverse: boolean;
}

/** Neighbours of entities. */
export interface NeighbourIndex {
  /** Neighbours of an entity, itself left out, with the relations that join them. */
  linksOf(entity: number): ReadonlyMap<number, readonly RelationLink[]>;
  /** Triple ends at an entity. */
  degreeOf(entity: number): number;
}

/** Looks up neighbours in linear memory: triples sorted by the entities at their ends. */
export function createNeighbourIndex({
  entityCount,
  triples: { heads, relations, tails },
  relationNames,
}: Pick<AlignmentData, 'entityCount' | 'triples' | 'relationNames'>): NeighbourIndex {
  const starts = new Int32Array(entityCount + 1);
  for (const ends of [heads, tails]) {
    for (const entity of ends) starts[entity + 1] = starts[entity + 1]! + 1;
  }
  for (let i = 0; i < entityCount; i += 1) starts[i + 1] = starts[i + 1]! + starts[i]!;
  const next = starts.slice(0, entityCount);
  const triplesAt = new Int32Array(2 * heads.length);
  for (let e = 0; e < heads.length; e += 1) {
    for (const entity of [heads[e]!, tails[e]!]) {
      triplesAt[next[entity]!] = e;
      next[entity] = next[entity]! + 1;
    }
  }
  const linksOf = (entity: number) => {
    const links = new Map<number, RelationLink[]>();
    for (const e of new Set(triplesAt.subarray(starts[entity], starts[entity + 1]))) {
      const isInverse = heads[e] !== entity;
      const neighbour = isInverse ? heads[e]! : tails[e]!;
      if (neighbour === entity) continue;
      const found = links.get(neighbour) ?? [];
      const link = { relation: relationNames[relations[e]!]!, isInverse };
      const isKnown = found.some(
        (other) => other.relation === link.relation && other.isInverse === isInverse,
      );
      links.set(neighbour, isKnown ? found : [...found, link]);
    }
    return links;
  };
  return { linksOf, degreeOf: (entity) => starts[entity + 1]! - starts[entity]! };
}
