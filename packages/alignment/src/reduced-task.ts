/**
 * A part of a task: fewer entities of both graphs, with what is known of them.
 */
import { type AlignmentData, type AttributeBags, type LinkSplit, neighbourGraph } from '@lab/graph';
import type { AlignmentTask } from './data.js';

/**
 * The task with at most `perSide` entities of each graph: neighbours of neighbours of the entity
 * with most triples, their counterparts, and what is left to fill with neighbours of those.
 *
 * Triples, links, attributes and images are those among the kept entities, so that the part is as
 * dense as the whole where the whole is well connected.
 */
export function reducedTask(task: AlignmentTask, perSide: number): AlignmentTask {
  const { data, split } = task;
  if (data.left.length <= perSide && data.right.length <= perSide) return task;
  const kept = keptEntities(data, perSide);
  const indexOf = new Int32Array(data.entityCount).fill(-1);
  kept.forEach((entity, index) => {
    indexOf[entity] = index;
  });
  const pairs = (all: Int32Array) => keptPairs(all, indexOf);
  const part: AlignmentTask = {
    data: reducedData(data, kept, indexOf),
    split: reducedSplit(split, pairs),
  };
  if (task.relationBags === undefined) return part;
  const { rowPointers, columns, values, ...bags } = task.relationBags;
  const rows = keptRows({ rowPointers, columns, values }, kept);
  return { ...part, relationBags: { ...bags, rowCount: kept.length, ...rows } };
}

/** Entities to keep, ascending. */
function keptEntities(data: AlignmentData, perSide: number): Int32Array {
  const graph = neighbourGraph(data, { selfLoops: false });
  const degree = (entity: number) => graph.rowPointers[entity + 1]! - graph.rowPointers[entity]!;
  const byDegree = (entities: Int32Array) => entities.toSorted((a, b) => degree(b) - degree(a));
  const spread = (starts: Iterable<number>, limit: number): Set<number> => {
    const found = new Set<number>();
    for (const start of starts) {
      const queue = [start];
      for (let at = 0; at < queue.length && found.size < limit; at += 1) {
        const entity = queue[at]!;
        if (found.has(entity)) continue;
        found.add(entity);
        const end = graph.rowPointers[entity + 1]!;
        for (let edge = graph.rowPointers[entity]!; edge < end; edge += 1) {
          queue.push(graph.columns[edge]!);
        }
      }
      if (found.size >= limit) break;
    }
    return found;
  };
  const left = spread(byDegree(data.left), perSide);
  const counterparts: number[] = [];
  for (let at = 0; at < data.links.length; at += 2) {
    if (left.has(data.links[at]!)) counterparts.push(data.links[at + 1]!);
  }
  const right = new Set(counterparts.slice(0, perSide));
  const rest = spread([...counterparts, ...byDegree(data.right)], perSide);
  for (const entity of rest) if (right.size < perSide) right.add(entity);
  return Int32Array.from([...left, ...right]).sort();
}

function keptPairs(pairs: Int32Array, indexOf: Int32Array): Int32Array {
  const kept: number[] = [];
  for (let at = 0; at < pairs.length; at += 2) {
    const left = indexOf[pairs[at]!]!;
    const right = indexOf[pairs[at + 1]!]!;
    if (left >= 0 && right >= 0) kept.push(left, right);
  }
  return Int32Array.from(kept);
}

function reducedSplit(split: LinkSplit, pairs: (all: Int32Array) => Int32Array): LinkSplit {
  return {
    ...split,
    seeds: pairs(split.seeds),
    validation: pairs(split.validation),
    test: pairs(split.test),
  };
}

function reducedData(data: AlignmentData, kept: Int32Array, indexOf: Int32Array): AlignmentData {
  const { triples, attributes, images } = data;
  const within = (entity: number) => indexOf[entity]! >= 0;
  const all = Array.from(triples.heads.keys()).filter(
    (at) => within(triples.heads[at]!) && within(triples.tails[at]!),
  );
  const rows =
    images === null ? [] : [...images.entities.keys()].filter((at) => within(images.entities[at]!));
  return {
    ...data,
    entityCount: kept.length,
    entityIds: kept.map((entity) => data.entityIds[entity]!),
    entityNames: Array.from(kept, (entity) => data.entityNames[entity]!),
    sides: Uint8Array.from(kept, (entity) => data.sides[entity]!),
    left: data.left.filter(within).map((entity) => indexOf[entity]!),
    right: data.right.filter(within).map((entity) => indexOf[entity]!),
    triples: {
      heads: Int32Array.from(all, (at) => indexOf[triples.heads[at]!]!),
      relations: Int32Array.from(all, (at) => triples.relations[at]!),
      tails: Int32Array.from(all, (at) => indexOf[triples.tails[at]!]!),
      leftCount: all.filter((at) => at < triples.leftCount).length,
    },
    links: keptPairs(data.links, indexOf),
    providedSplit: null,
    attributes: attributes === null ? null : reducedBags(attributes, kept),
    images:
      images === null
        ? null
        : {
            dimension: images.dimension,
            entities: Int32Array.from(rows, (at) => indexOf[images.entities[at]!]!),
            vectors: Float32Array.from(
              rows.flatMap((at) =>
                Array.from(
                  images.vectors.subarray(at * images.dimension, (at + 1) * images.dimension),
                ),
              ),
            ),
          },
  };
}

function reducedBags(bags: AttributeBags, kept: Int32Array): AttributeBags {
  const { rowPointers, columns } = keptRows(bags, kept);
  return { names: bags.names, rowPointers, columns };
}

/** Some rows of a sparse matrix. */
function keptRows(
  matrix: {
    readonly rowPointers: Int32Array;
    readonly columns: Int32Array;
    readonly values?: Float32Array | undefined;
  },
  kept: Int32Array,
) {
  const rowPointers = new Int32Array(kept.length + 1);
  const places: number[] = [];
  kept.forEach((entity, row) => {
    const end = matrix.rowPointers[entity + 1]!;
    for (let at = matrix.rowPointers[entity]!; at < end; at += 1) places.push(at);
    rowPointers[row + 1] = places.length;
  });
  const columns = Int32Array.from(places, (at) => matrix.columns[at]!);
  const { values } = matrix;
  if (values === undefined) return { rowPointers, columns };
  return { rowPointers, columns, values: Float32Array.from(places, (at) => values[at]!) };
}
