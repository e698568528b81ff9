import { ConfigError, DataError, type Random } from '@lab/core';
import type { CsrArrays } from '@lab/tensor';
import type { RelationPairs } from './relation-pairs.js';

/** Pairs that one layer passes vectors along, in the local numbers of a {@link Neighbourhood}. */
export interface NeighbourhoodLayer {
  /** Row i lists the neighbours that entity i receives from, `[rows, columns]`, ascending by id. */
  readonly pattern: CsrArrays;
  /** Entry of the pairs of the whole graph that each pair is, `[entries]`. */
  readonly entries: Int32Array;
}

/** The entities that some targets receive from within L layers, numbered anew. */
export interface Neighbourhood {
  /**
   * Entity of each local number, `[n]`: the targets in their order, then what they receive from,
   * then what those receive from, each once.
   */
  readonly entities: Int32Array;
  /**
   * Rows of the state after each layer, `[L + 1]`: that of layer l has the first `rowCounts[l]`
   * entities; `rowCounts[0] = n` and `rowCounts[L]` is the number of targets.
   */
  readonly rowCounts: readonly number[];
  /** Layer 1 first: it reads `rowCounts[0]` rows and writes `rowCounts[1]`. */
  readonly layers: readonly NeighbourhoodLayer[];
}

/** Options of {@link neighbourhood}. */
export interface NeighbourhoodOptions {
  /** L, 0 or more. */
  readonly layers: number;
  /**
   * Most pairs of an entity in each layer, layer 1 first, each at least 1; a number counts for all
   * layers. Default: all pairs, which makes states of the targets equal to those of the whole
   * graph.
   */
  readonly fanOut?: number | readonly number[];
  /** Stream of the choice, needed with `fanOut`; layer l draws from its fork `layer/<l>`. */
  readonly random?: Random;
}

/**
 * The entities within L layers of some targets and the pairs between them, layer by layer: what a
 * graph network must read to compute the states of the targets.
 *
 * The state after layer l is needed for the targets and for all that the layers after l read: a
 * prefix of `entities`. With a fan-out every row keeps a uniform choice, without repetition, of its
 * pairs; the same targets, options and stream give the same choice. Linear in the pairs of the
 * entities, those left out included.
 *
 * @param pairs - of the whole graph, N entities.
 * @param targets - entities, distinct.
 * @throws {DataError} for a target that is out of range or occurs twice.
 * @throws {ConfigError} for a fan-out below 1 or without a stream.
 */
export function neighbourhood(
  { neighbours }: Pick<RelationPairs, 'neighbours'>,
  targets: Int32Array,
  options: NeighbourhoodOptions,
): Neighbourhood {
  const fanOuts = fanOutsOf(options);
  const numbers = createNumbers(neighbours.rowCount, targets);
  const rowCounts = [targets.length];
  const layers: NeighbourhoodLayer[] = [];
  for (let layer = options.layers; layer >= 1; layer -= 1) {
    const most = fanOuts[layer - 1] as number;
    const random = options.random?.fork(`layer/${layer}`);
    const chosen = choosePairs(neighbours, numbers.entities(), { most, random });
    const columns = new Int32Array(chosen.entries.length);
    for (let e = 0; e < columns.length; e += 1) {
      columns[e] = numbers.of(neighbours.columns[chosen.entries[e] as number] as number);
    }
    const columnCount = numbers.count();
    const pattern = { ...chosen, columnCount, columns };
    layers.unshift({ pattern: withoutEntries(pattern), entries: chosen.entries });
    rowCounts.unshift(columnCount);
  }
  return { entities: numbers.entities().slice(), rowCounts, layers };
}

function withoutEntries({ rowCount, columnCount, rowPointers, columns }: CsrArrays): CsrArrays {
  return { rowCount, columnCount, rowPointers, columns };
}

/** Local numbers of entities in the order in which they are asked for. */
function createNumbers(entityCount: number, targets: Int32Array) {
  const stamps = new Int32Array(entityCount); // one more than the local number; 0: not met yet
  let entities = new Int32Array(Math.max(16, 2 * targets.length));
  let count = 0;
  const of = (entity: number): number => {
    const known = stamps[entity] as number;
    if (known > 0) return known - 1;
    if (count === entities.length) {
      const longer = new Int32Array(2 * count);
      longer.set(entities);
      entities = longer;
    }
    entities[count] = entity;
    count += 1;
    stamps[entity] = count;
    return count - 1;
  };
  targets.forEach((target, i) => {
    if (!(target >= 0 && target < entityCount) || of(target) !== i) {
      throw new DataError(
        `graph/neighbourhood: target ${i} is entity ${target}, which occurs twice or is outside ` +
          `0 .. ${entityCount - 1}.`,
        { help: 'Give each entity once.' },
      );
    }
  });
  return { of, count: () => count, entities: () => entities.subarray(0, count) };
}

/** Entries of the rows of some entities: all of them, or a choice of at most `most` for each. */
function choosePairs(
  { rowPointers: pointers }: CsrArrays,
  entities: Int32Array,
  { most, random }: { readonly most: number; readonly random: Random | undefined },
) {
  const rowPointers = new Int32Array(entities.length + 1);
  for (let i = 0; i < entities.length; i += 1) {
    const entity = entities[i] as number;
    const degree = (pointers[entity + 1] as number) - (pointers[entity] as number);
    rowPointers[i + 1] = (rowPointers[i] as number) + Math.min(degree, most);
  }
  const entries = new Int32Array(rowPointers[entities.length] as number);
  for (let i = 0; i < entities.length; i += 1) {
    const start = pointers[entities[i] as number] as number;
    const degree = (pointers[(entities[i] as number) + 1] as number) - start;
    const [from, to] = [rowPointers[i] as number, rowPointers[i + 1] as number];
    if (to - from === degree) for (let k = 0; k < degree; k += 1) entries[from + k] = start + k;
    else chooseSome(entries.subarray(from, to), { start, degree, random: random! });
  }
  return { rowCount: entities.length, rowPointers, entries };
}

/** Fills with an ascending choice of `start .. start+degree-1`: Knuth's selection sampling. */
function chooseSome(
  chosen: Int32Array,
  { start, degree, random }: { start: number; degree: number; random: Random },
): void {
  let count = 0;
  for (let k = 0; count < chosen.length; k += 1) {
    if (random.uniform() * (degree - k) >= chosen.length - count) continue;
    chosen[count] = start + k;
    count += 1;
  }
}

function fanOutsOf({ layers, fanOut = Infinity, random }: NeighbourhoodOptions): readonly number[] {
  const fanOuts = typeof fanOut === 'number' ? new Array<number>(layers).fill(fanOut) : fanOut;
  const isFanOut = (most: number) => most === Infinity || (Number.isInteger(most) && most >= 1);
  if (fanOuts.length !== layers || !fanOuts.every(isFanOut)) {
    throw new ConfigError(
      `graph/neighbourhood: the fan-out is ${fanOuts.join(', ')} for ${layers} layers.`,
      { help: 'Give one whole number of at least 1 for each layer, or leave it out.' },
    );
  }
  if (random === undefined && fanOuts.some((most) => most !== Infinity)) {
    throw new ConfigError('graph/neighbourhood: a fan-out needs a random stream.', {
      help: 'Give a stream of createRandom(seed).fork(name).',
    });
  }
  return fanOuts;
}
