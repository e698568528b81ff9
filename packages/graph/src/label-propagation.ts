import type { Random } from '@lab/core';
import { type AlignmentData, tripleDegrees } from './knowledge-graph.js';

type Graph = Pick<AlignmentData, 'entityCount' | 'triples' | 'relationIds'>;

/** Labels of entities and of relation roles, row-major with `width` numbers a row. */
interface Labels {
  readonly width: number;
  readonly entities: Float32Array; // [N, W]
  readonly roles: Float32Array; // [2R, W]: row r seen from the head, row R + r from the tail
}

/** Adds `scale` times row `source` of one matrix to row `target` of another. */
type AddRow = (target: number, source: number, scale: number) => void;

function rowAdder(to: Float32Array, from: Float32Array, width: number): AddRow {
  return (target, source, scale) => {
    const shift = source * width - target * width;
    const end = (target + 1) * width;
    for (let at = target * width; at < end; at += 1) {
      to[at] = (to[at] as number) + scale * (from[at + shift] as number);
    }
  };
}

/** Rows divided by their norm, in place; zero rows stay zero. */
export function normalizeRowsInPlace(values: Float32Array, width: number): Float32Array {
  for (let start = 0; start < values.length; start += width) {
    let sum = 0;
    for (let d = start; d < start + width; d += 1) sum += (values[d] as number) ** 2;
    if (sum === 0) continue;
    const scale = 1 / Math.sqrt(sum);
    for (let d = start; d < start + width; d += 1) values[d] = (values[d] as number) * scale;
  }
  return values;
}

function stepEntities(graph: Graph, labels: Labels, relationWeight: number): Float32Array {
  const { heads, relations, tails } = graph.triples;
  const { width, entities, roles } = labels;
  const degrees = tripleDegrees(graph);
  const next = new Float32Array(entities.length);
  const relationCount = graph.relationIds.length;
  const addEntity = rowAdder(next, entities, width);
  const addRole = rowAdder(next, roles, width);
  for (let e = 0; e < heads.length; e += 1) {
    const head = heads[e] as number;
    const tail = tails[e] as number;
    const headDegree = degrees[head] as number;
    const tailDegree = degrees[tail] as number;
    const scale = 1 / Math.sqrt(headDegree * tailDegree);
    addEntity(head, tail, scale);
    addEntity(tail, head, scale);
    if (relationWeight === 0) continue;
    const relation = relations[e] as number;
    addRole(head, relation, relationWeight / headDegree);
    addRole(tail, relationCount + relation, relationWeight / tailDegree);
  }
  return normalizeRowsInPlace(next, width);
}

function stepRoles(graph: Graph, labels: Labels): Float32Array {
  const { heads, relations, tails } = graph.triples;
  const { width, entities } = labels;
  const next = new Float32Array(labels.roles.length);
  const relationCount = graph.relationIds.length;
  const add = rowAdder(next, entities, width);
  for (let e = 0; e < heads.length; e += 1) {
    const relation = relations[e] as number;
    add(relation, tails[e] as number, 1);
    add(relationCount + relation, heads[e] as number, 1);
  }
  return normalizeRowsInPlace(next, width);
}

/** A random unit vector for each seed pair, in the rows of both of its entities. */
function seedLabels(
  seeds: Int32Array,
  size: { readonly entityCount: number; readonly width: number },
  random: Random,
): Float32Array {
  const { entityCount, width } = size;
  const vectors = random.fillNormal(new Float32Array((seeds.length / 2) * width));
  normalizeRowsInPlace(vectors, width);
  const labels = new Float32Array(entityCount * width);
  for (let i = 0; i < seeds.length; i += 1) {
    const pair = i >> 1;
    labels.set(vectors.subarray(pair * width, (pair + 1) * width), (seeds[i] as number) * width);
  }
  return labels;
}

/** Settings of {@link labelSteps}. */
export interface LabelStepOptions {
  readonly seeds: Int32Array;
  readonly steps: number;
  readonly width: number;
  readonly relationWeight: number;
  readonly random: Random;
  readonly signal: AbortSignal | undefined;
}

/**
 * Labels of the entities after each step, `steps` matrices `[N, width]` with rows of norm 1 or 0.
 *
 * `x_i' = normalise( sum_j x_j / sqrt(d_i d_j) + w / d_i sum_r y_r )` over the triples at i, where
 * y is the normalised sum of the labels at the other end of all triples of the relation, and d
 * counts triple ends. Start: a random unit vector shared by both entities of a seed pair, else 0.
 * Source: MaoXinn/LightEA, three-view label propagation; equation not verified.
 * Deviation: neighbours by symmetric degree instead of inverse relation frequency, and a weight w.
 *
 * @param graph - entities, relations, triples of both graphs.
 * @param options - seeds as interleaved dense pairs; number and width of steps.
 */
export function* labelSteps(graph: Graph, options: LabelStepOptions): Generator<Float32Array> {
  const { width } = options;
  const size = { entityCount: graph.entityCount, width };
  let entities = seedLabels(options.seeds, size, options.random);
  let roles: Float32Array = new Float32Array(2 * graph.relationIds.length * width);
  for (let step = 0; step < options.steps; step += 1) {
    options.signal?.throwIfAborted();
    const labels = { width, entities, roles };
    const next = stepEntities(graph, labels, options.relationWeight);
    roles = stepRoles(graph, labels);
    entities = next;
    yield entities;
  }
}
