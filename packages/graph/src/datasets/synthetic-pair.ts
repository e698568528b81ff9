import { ConfigError, type Random } from '@lab/core';
import { AttributeCollector } from '../attribute-table.js';
import type { AlignmentData, TripleArrays } from '../knowledge-graph.js';

/** Options of {@link syntheticPair}. */
export interface SyntheticPairOptions {
  /** Entities of each graph, 2 .. 16 million. */
  readonly entities: number;
  /** Stream of all draws. */
  readonly random: Random;
  /** Triples per entity before deletion, default 3. */
  readonly triplesPerEntity?: number;
  /** Relations of KG1, default 200; frequencies follow Zipf's law. */
  readonly relations?: number;
  /** Relations of KG2, at most those of KG1, default three quarters of them. */
  readonly rightRelations?: number;
  /** Share of the triples that is deleted in each copy, 0..1, default 0.2. */
  readonly deletedShare?: number;
  /** Attribute names, default 300; 0 makes none. */
  readonly attributes?: number;
  /** Clusters of entities with the same attributes, default 50. */
  readonly clusters?: number;
  /** Chance that an attribute of the cluster is left out or replaced, default 0.3. */
  readonly attributeNoise?: number;
}

interface Edges {
  readonly heads: Int32Array;
  readonly relations: Int32Array;
  readonly tails: Int32Array;
}

/**
 * A graph by preferential attachment: every new entity gets `perEntity` triples to entities that
 * are drawn with chance proportional to their triple ends so far; directions are random.
 */
function attachEntities(
  entities: number,
  perEntity: number,
  random: Random,
): Omit<Edges, 'relations'> {
  const count = entities * perEntity;
  const heads = new Int32Array(count);
  const tails = new Int32Array(count);
  const ends = new Int32Array(2 * count);
  let used = 0;
  let edge = 0;
  for (let entity = 0; entity < entities; entity += 1) {
    for (let k = 0; k < perEntity; k += 1) {
      const isFresh = used === 0 || random.integer(10) === 0; // also entities without triples
      const other = isFresh ? random.integer(entity + 1) : (ends[random.integer(used)] as number);
      const isForward = random.integer(2) === 0;
      heads[edge] = isForward ? entity : other;
      tails[edge] = isForward ? other : entity;
      edge += 1;
      ends[2 * edge - 2] = entity;
      ends[2 * edge - 1] = other;
    }
    used = 2 * edge;
  }
  return { heads, tails };
}

/** Draws from 0..count-1 with chance proportional to 1 / (rank + 1). */
function zipfDraw(count: number, random: Random): () => number {
  const cumulative = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank += 1) {
    sum += 1 / (rank + 1);
    cumulative[rank] = sum;
  }
  return () => {
    const point = random.uniform() * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulative[middle] as number) > point) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** A copy without a share of the triples, entities and relations renamed. */
function copyGraph(
  edges: Edges,
  names: { readonly entity: Int32Array; readonly relation: Int32Array },
  options: { readonly deletedShare: number; readonly random: Random },
): Edges {
  const kept: number[] = [];
  for (let e = 0; e < edges.heads.length; e += 1) {
    if (options.random.uniform() >= options.deletedShare) kept.push(e);
  }
  const rename = (values: Int32Array, name: Int32Array): Int32Array =>
    Int32Array.from(kept, (e) => name[values[e] as number] as number);
  return {
    heads: rename(edges.heads, names.entity),
    relations: rename(edges.relations, names.relation),
    tails: rename(edges.tails, names.entity),
  };
}

function joinEdges(left: Edges, right: Edges): TripleArrays {
  const join = (a: Int32Array, b: Int32Array): Int32Array => {
    const joined = new Int32Array(a.length + b.length);
    joined.set(a);
    joined.set(b, a.length);
    return joined;
  };
  return {
    heads: join(left.heads, right.heads),
    relations: join(left.relations, right.relations),
    tails: join(left.tails, right.tails),
    leftCount: left.heads.length,
  };
}

/** Random surjection of 0..from-1 onto `start .. start+onto-1`. */
function surjection(
  from: number,
  target: { start: number; onto: number },
  random: Random,
): Int32Array {
  const order = random.permutation(from);
  const map = new Int32Array(from);
  for (const [position, relation] of order.entries()) {
    const value = position < target.onto ? position : random.integer(target.onto);
    map[relation] = target.start + value;
  }
  return map;
}

/** Attributes of clusters, in both graphs with noise of their own. */
function clusterAttributes(
  settings: Required<SyntheticPairOptions>,
  partner: Int32Array,
): AlignmentData['attributes'] {
  const { entities, attributes, clusters, attributeNoise, random } = settings;
  if (attributes === 0) return null;
  const draw = zipfDraw(attributes, random.fork('frequency'));
  const perCluster = Math.min(6, attributes);
  const ofCluster = Array.from({ length: clusters }, () =>
    Array.from({ length: perCluster }, draw),
  );
  const clusterOf = Int32Array.from({ length: entities }, () => random.integer(clusters));
  const collector = new AttributeCollector();
  const names = Array.from({ length: attributes }, (_, i) => `attribute/${i}`);
  for (const side of [0, 1]) {
    for (let i = 0; i < entities; i += 1) {
      const entity = side === 0 ? i : (partner[i] as number);
      for (const attribute of ofCluster[clusterOf[i] as number] as number[]) {
        const isNoisy = random.uniform() < attributeNoise;
        const chosen = isNoisy ? random.integer(2 * attributes) : attribute;
        if (chosen < attributes) collector.add(entity, names[chosen] as string);
      }
    }
  }
  return collector.bags(2 * entities);
}

function checkSettings(options: SyntheticPairOptions): Required<SyntheticPairOptions> {
  const relations = options.relations ?? 200;
  const settings = {
    triplesPerEntity: 3,
    relations,
    rightRelations: Math.max(1, Math.round(0.75 * relations)),
    deletedShare: 0.2,
    attributes: 300,
    clusters: 50,
    attributeNoise: 0.3,
    ...options,
  };
  const isWhole = (value: number, low: number): boolean => Number.isInteger(value) && value >= low;
  const checks: [string, number, boolean][] = [
    ['entities', settings.entities, isWhole(settings.entities, 2) && settings.entities <= 16e6],
    ['triplesPerEntity', settings.triplesPerEntity, isWhole(settings.triplesPerEntity, 1)],
    ['relations', settings.relations, isWhole(settings.relations, 1)],
    ['rightRelations', settings.rightRelations, isWhole(settings.rightRelations, 1)],
    ['attributes', settings.attributes, isWhole(settings.attributes, 0)],
    ['clusters', settings.clusters, isWhole(settings.clusters, 1)],
    [
      'deletedShare',
      settings.deletedShare,
      settings.deletedShare >= 0 && settings.deletedShare < 1,
    ],
    ['attributeNoise', settings.attributeNoise, settings.attributeNoise >= 0],
  ];
  const bad = checks.find(([, , isGood]) => !isGood);
  if (bad !== undefined) {
    const help = 'Give a whole number in range, or a share below 1.';
    throw new ConfigError(`graph/syntheticPair: ${bad[0]} is ${bad[1]}.`, { help });
  }
  return settings;
}

/** The triples of both copies of one graph. */
function copiedTriples(
  settings: Required<SyntheticPairOptions>,
  partner: Int32Array,
): TripleArrays {
  const { entities, random, relations, deletedShare } = settings;
  const shape = attachEntities(entities, settings.triplesPerEntity, random.fork('graph'));
  const draw = zipfDraw(relations, random.fork('relations'));
  const edges = { ...shape, relations: Int32Array.from(shape.heads, draw) };
  const own = Int32Array.from({ length: entities }, (_, i) => i);
  const sameRelation = Int32Array.from({ length: relations }, (_, i) => i);
  const target = { start: relations, onto: Math.min(settings.rightRelations, relations) };
  const renamed = surjection(relations, target, random.fork('surjection'));
  const copy = (entity: Int32Array, relation: Int32Array, name: string): Edges =>
    copyGraph(edges, { entity, relation }, { deletedShare, random: random.fork(name) });
  return joinEdges(copy(own, sameRelation, 'left'), copy(partner, renamed, 'right'));
}

/**
 * A made-up pair of graphs with all gold links, for tests of time and memory: a
 * preferential-attachment graph with Zipf relation frequencies, copied twice, a share of the
 * triples deleted in each copy, relations renamed through a random surjection, entities of KG2 in
 * random order, attributes from clusters with noise. It says nothing about accuracy on real data.
 *
 * @param options - sizes and stream; the same stream name and seed give the same pair.
 * @throws {ConfigError} for sizes out of range.
 */
export function syntheticPair(options: SyntheticPairOptions): AlignmentData {
  const settings = checkSettings(options);
  const { entities, random, relations } = settings;
  const order = random.fork('order').permutation(entities);
  const partner = order.map((i) => i + entities); // of entity i in KG2
  const relationCount = relations + Math.min(settings.rightRelations, relations);
  const ids = Int32Array.from({ length: 2 * entities }, (_, i) => i);
  const links = new Int32Array(2 * entities);
  for (let i = 0; i < entities; i += 1) links.set([i, partner[i] as number], 2 * i);
  const relationIds = Int32Array.from({ length: relationCount }, (_, i) => i);
  return {
    name: `synthetic-${entities}`,
    entityCount: 2 * entities,
    entityIds: ids,
    entityNames: Array.from(ids, (i) => (i < entities ? `left/${i}` : `right/${i - entities}`)),
    sides: new Uint8Array(2 * entities).fill(2).fill(1, 0, entities),
    left: ids.slice(0, entities),
    right: ids.slice(entities),
    triples: copiedTriples(settings, partner),
    relationIds,
    relationNames: Array.from(relationIds, (id) => `relation/${id}`),
    links,
    providedSplit: null,
    attributes: clusterAttributes({ ...settings, random: random.fork('attributes') }, partner),
    images: null,
    files: [],
    remarks: ['The graphs are synthetic.'],
    keyedBy: 'id',
  };
}
