import type { FileRecord } from '@lab/core';

/** Relation triples of both graphs as three parallel arrays; those of KG1 come first. */
export interface TripleArrays {
  /** Dense entity index of each head, `[E]`. */
  readonly heads: Int32Array;
  /** Dense relation index of each triple, `[E]`. */
  readonly relations: Int32Array;
  /** Dense entity index of each tail, `[E]`. */
  readonly tails: Int32Array;
  /** Triples of KG1; the others are those of KG2. */
  readonly leftCount: number;
}

/** Attribute names of each entity: row `i` holds `columns[rowPointers[i] .. rowPointers[i+1]]`. */
export interface AttributeBags {
  /** Attribute names, in the order of their first occurrence (KG1 first). */
  readonly names: readonly string[];
  /** `[N + 1]` */
  readonly rowPointers: Int32Array;
  /** Indices into `names`, ascending and distinct within a row. */
  readonly columns: Int32Array;
}

/** Image vectors of those entities that have one. */
export interface ImageVectors {
  /** Length of a vector. */
  readonly dimension: number;
  /** Dense entity index of each row, ascending and distinct. */
  readonly entities: Int32Array;
  /** Row-major `[entities.length, dimension]`. */
  readonly vectors: Float32Array;
}

/** Two knowledge graphs and the gold links between them, as typed arrays. */
export interface AlignmentData {
  /** Name for run folders and titles, e.g. the folder's name. */
  readonly name: string;
  /** Entities of both graphs together, N. */
  readonly entityCount: number;
  /** Id in the file of each dense index, `[N]`. */
  readonly entityIds: Int32Array;
  /** Name (URI) of each entity, `[N]`. */
  readonly entityNames: readonly string[];
  /** 1 or 2, the graph of each entity, `[N]`. */
  readonly sides: Uint8Array;
  /** Dense indices of the entities of KG1, in file order. */
  readonly left: Int32Array;
  /** Dense indices of the entities of KG2, in file order. */
  readonly right: Int32Array;
  readonly triples: TripleArrays;
  /** Id in the file of each dense relation index, `[R]`. */
  readonly relationIds: Int32Array;
  /** Name of each relation, its id as text where the data have no names, `[R]`. */
  readonly relationNames: readonly string[];
  /** All gold links, interleaved `left, right` dense indices, in file order. */
  readonly links: Int32Array;
  /** The split the data came with (`sup_ent_ids` and the rest), interleaved pairs. */
  readonly providedSplit: { readonly seeds: Int32Array; readonly test: Int32Array } | null;
  readonly attributes: AttributeBags | null;
  readonly images: ImageVectors | null;
  /** Every file that was read, with digest. */
  readonly files: readonly FileRecord[];
  /** What a user should know about these data, one sentence each; not errors. */
  readonly remarks: readonly string[];
  /** `name` when entities of the source are known by names only (own tables): ids are indices. */
  readonly keyedBy?: 'id' | 'name';
  /**
   * Graphs (1, 2) of which a file of triples or entities could not be read to its end, which is a
   * defect: that others know entities of it that these data do not is a consequence, and none.
   */
  readonly cutSides?: readonly (1 | 2)[];
}

/** Counts of a pair of graphs, as a start line or a report prints them. */
export interface AlignmentSummary {
  readonly leftEntities: number;
  readonly rightEntities: number;
  readonly leftTriples: number;
  readonly rightTriples: number;
  readonly relations: number;
  readonly links: number;
  readonly attributeNames: number;
  readonly entitiesWithAttributes: number;
  readonly entitiesWithImage: number;
  readonly isolatedEntities: number;
}

/**
 * The counts of the two graphs: entities, triples, relations, links, attributes, images and
 * entities without any triple.
 *
 * @param data - a pair of graphs.
 */
export function summarizeAlignment(data: AlignmentData): AlignmentSummary {
  const degrees = tripleDegrees(data);
  let isolatedEntities = 0;
  for (const degree of degrees) if (degree === 0) isolatedEntities += 1;
  const { attributes } = data;
  let entitiesWithAttributes = 0;
  for (let i = 0; attributes !== null && i < data.entityCount; i += 1) {
    const start = attributes.rowPointers[i] as number;
    if ((attributes.rowPointers[i + 1] as number) > start) entitiesWithAttributes += 1;
  }
  return {
    leftEntities: data.left.length,
    rightEntities: data.right.length,
    leftTriples: data.triples.leftCount,
    rightTriples: data.triples.heads.length - data.triples.leftCount,
    relations: data.relationIds.length,
    links: data.links.length / 2,
    attributeNames: attributes?.names.length ?? 0,
    entitiesWithAttributes,
    entitiesWithImage: data.images?.entities.length ?? 0,
    isolatedEntities,
  };
}

/**
 * The number of triple ends at each entity, `[N]`; a triple whose head is its tail counts twice.
 *
 * @param data - entity count and triples.
 */
export function tripleDegrees(data: Pick<AlignmentData, 'entityCount' | 'triples'>): Int32Array {
  const degrees = new Int32Array(data.entityCount);
  for (const ends of [data.triples.heads, data.triples.tails]) {
    for (let e = 0; e < ends.length; e += 1) {
      const entity = ends[e] as number;
      degrees[entity] = (degrees[entity] as number) + 1;
    }
  }
  return degrees;
}
