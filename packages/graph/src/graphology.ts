import { DataError } from '@lab/core';
import { GraphBuilder } from './graph-builder.js';
import type { AlignmentData } from './knowledge-graph.js';
import { createLinkCollector } from './link-table.js';

/** What is written into: an empty multi-graph of graphology, e.g. `new MultiDirectedGraph()`. */
export interface GraphologyTarget {
  addNode(key: string, attributes: Record<string, unknown>): unknown;
  addEdge(source: string, target: string, attributes: Record<string, unknown>): unknown;
}

/** What is read from: any graph of graphology. */
export interface GraphologySource {
  forEachNode(callback: (key: string, attributes: Record<string, unknown>) => void): void;
  forEachEdge(
    callback: (
      edge: string,
      attributes: Record<string, unknown>,
      source: string,
      target: string,
    ) => void,
  ): void;
}

/** Options of {@link toGraphology}. */
export interface ToGraphologyOptions {
  /** Write one of the two graphs only. */
  readonly side?: 1 | 2;
  /** Also write the gold links, as edges with `kind: 'link'`; default false. */
  readonly links?: boolean;
}

function attributeNames(data: AlignmentData, entity: number): string[] {
  const { attributes } = data;
  if (attributes === null) return [];
  const start = attributes.rowPointers[entity] as number;
  const end = attributes.rowPointers[entity + 1] as number;
  return Array.from(
    attributes.columns.subarray(start, end),
    (name) => attributes.names[name] as string,
  );
}

/**
 * The given graphology graph, filled: a node per entity (key: the file's id as text; attributes
 * `name`, `side`, `attributes`), an edge per triple (`kind: 'triple'`, `relation`).
 *
 * @param data - both graphs.
 * @param graph - an empty directed multi-graph, e.g. `new MultiDirectedGraph()` of graphology.
 * @param options - one side only, links too.
 */
export function toGraphology<G extends GraphologyTarget>(
  data: AlignmentData,
  graph: G,
  options: ToGraphologyOptions = {},
): G {
  const { side } = options;
  const key = (entity: number): string => String(data.entityIds[entity] as number);
  const isWanted = (entity: number): boolean => side === undefined || data.sides[entity] === side;
  for (let i = 0; i < data.entityCount; i += 1) {
    if (!isWanted(i)) continue;
    const attributes = attributeNames(data, i);
    graph.addNode(key(i), { name: data.entityNames[i], side: data.sides[i], attributes });
  }
  const { heads, relations, tails } = data.triples;
  for (let e = 0; e < heads.length; e += 1) {
    const head = heads[e] as number;
    if (!isWanted(head)) continue;
    const relation = data.relationNames[relations[e] as number];
    graph.addEdge(key(head), key(tails[e] as number), { kind: 'triple', relation });
  }
  for (let i = 0; options.links === true && side === undefined && i < data.links.length; i += 2) {
    const ends = [data.links[i] as number, data.links[i + 1] as number] as const;
    graph.addEdge(key(ends[0]), key(ends[1]), { kind: 'link' });
  }
  return graph;
}

/** Two graphs of graphology and known links between them. */
export interface GraphologyPair {
  readonly left: GraphologySource;
  readonly right: GraphologySource;
  /** Known links as node keys (of `left`, of `right`). */
  readonly links?: Iterable<readonly [string, string]>;
  /** Edge attribute that names the relation, default `relation`; missing: `related`. */
  readonly relation?: string;
  readonly name?: string;
}

function addSide(builder: GraphBuilder, graph: GraphologySource, relationName: string): void {
  graph.forEachNode((key, attributes) => {
    const entity = builder.addEntity(key);
    const names = attributes['attributes'];
    for (const name of Array.isArray(names) ? names : [])
      builder.addAttribute(entity, String(name));
  });
  graph.forEachEdge((_, attributes, source, target) => {
    builder.addTriple(source, String(attributes[relationName] ?? 'related'), target);
  });
}

/**
 * Alignment data from two graphology graphs: entity names are node keys; a list in the node
 * attribute `attributes` becomes attribute names; each edge is a triple.
 *
 * @param pair - both graphs, links, the edge attribute that names the relation.
 * @throws {DataError} for a link to a missing node or given twice, or a graph without edges.
 */
export function fromGraphology(pair: GraphologyPair): AlignmentData {
  const builder = new GraphBuilder();
  const name = pair.name ?? 'graphology';
  for (const side of [1, 2] as const) {
    if (side === 2) builder.startRight();
    addSide(builder, side === 1 ? pair.left : pair.right, pair.relation ?? 'relation');
    if (builder.tripleCount > 0) continue;
    const help = 'Both graphs need edges.';
    throw new DataError(`graph/fromGraphology: KG${side} has no edges.`, { help });
  }
  const collector = createLinkCollector({
    ends: {
      indexOf: (field, side) => builder.indexOf(field, side),
      sideOf: (index) => builder.sideOf(index),
    },
    links: 'lenient',
    onDefect: (defect) => {
      throw defect;
    },
  });
  let line = 0;
  for (const link of pair.links ?? []) {
    line += 1;
    collector.add(link, { file: `${name} links`, line, text: link.join(' - ') });
  }
  return {
    name,
    ...builder.build(),
    links: collector.pairs(),
    providedSplit: null,
    images: null,
    files: [],
    remarks: [],
    keyedBy: 'name',
  };
}
