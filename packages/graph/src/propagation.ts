import { ConfigError, createRandom, type Random } from '@lab/core';
import type { LinkSplit } from './alignment.js';
import { inverseFrequency } from './features.js';
import type { AlignmentData } from './knowledge-graph.js';
import { labelSteps, normalizeRowsInPlace } from './label-propagation.js';

/** Options of {@link propagateSeeds}. */
export interface PropagationOptions {
  /** Steps over the graph, 1 or more, default 3; each adds `width` columns. */
  readonly steps?: number | undefined;
  /** Length of the random vectors, default 256. */
  readonly width?: number | undefined;
  /** Weight of what the relations carry beside what the neighbours carry, default 0.4. */
  readonly relationWeight?: number | undefined;
  /** Whether attribute names that both graphs use count too, default false. */
  readonly attributes?: boolean | undefined;
  /** Weight of the attribute columns beside the last step's 1, default 0.5. */
  readonly attributeWeight?: number | undefined;
  /** Stream of the random vectors, default that of seed 2024. */
  readonly random?: Random | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Embeddings made without training. */
export interface SeedPropagation {
  /** Columns of an embedding, D. */
  readonly dimension: number;
  /** Row-major `[N, D]`, rows of norm 1, or 0 where no label arrived. */
  readonly embeddings: Float32Array;
  /** Embeddings of the KG1 ends of the test pairs, `[test, D]`. */
  readonly left: Float32Array;
  /** Embeddings of the KG2 ends of the test pairs, `[test, D]`. */
  readonly right: Float32Array;
}

/** Weight of a step's columns: early steps know less, the last one counts 1. */
function stepWeight(step: number, steps: number): number {
  return steps === 1 ? 1 : 0.4 + (0.6 * step) / (steps - 1);
}

/** Scaled attribute columns that both graphs use, written behind the label columns. */
interface SharedAttributes {
  readonly width: number;
  write(embeddings: Float32Array, dimension: number, weight: number): void;
}

/** Attribute names that occur in both graphs: name index -> column, -1 for the others. */
function sharedColumns(data: AlignmentData): { columnOf: Int32Array; count: number } {
  const { attributes, sides } = data;
  const seen = new Uint8Array(attributes?.names.length ?? 0);
  for (let i = 0; attributes !== null && i < data.entityCount; i += 1) {
    const side = sides[i] as number;
    for (
      let e = attributes.rowPointers[i] as number;
      e < (attributes.rowPointers[i + 1] as number);
      e += 1
    ) {
      const name = attributes.columns[e] as number;
      seen[name] = (seen[name] as number) | side;
    }
  }
  let count = 0;
  const columnOf = Int32Array.from(seen, (both) => (both === 3 ? count++ : -1));
  return { columnOf, count };
}

/**
 * The shared attribute bags scaled by inverse frequency, rows of norm 1; when there are more than
 * `width` names each name gets a random vector instead of a column of its own.
 */
function sharedAttributes(data: AlignmentData, width: number, random: Random): SharedAttributes {
  const { attributes, entityCount } = data;
  const { columnOf, count } = sharedColumns(data);
  if (attributes === null || count === 0) return { width: 0, write: () => undefined };
  const { rowPointers, columns } = attributes;
  const size = { rowCount: entityCount, columnCount: attributes.names.length };
  const weights = inverseFrequency({ ...size, rowPointers, columns });
  const isProjected = count > width;
  const used = isProjected ? width : count;
  const vectors = isProjected
    ? normalizeRowsInPlace(random.fillNormal(new Float32Array(count * width)), width)
    : null;
  const addName = (row: Float32Array, name: number): void => {
    const column = columnOf[name] as number;
    const weight = weights[name] as number;
    if (column < 0) return;
    if (vectors === null) row[column] = weight;
    for (let d = 0; vectors !== null && d < used; d += 1) {
      row[d] = (row[d] as number) + weight * (vectors[column * width + d] as number);
    }
  };
  const write = (embeddings: Float32Array, dimension: number, weight: number): void => {
    for (let i = 0; i < entityCount; i += 1) {
      const row = new Float32Array(used);
      for (let e = rowPointers[i] as number; e < (rowPointers[i + 1] as number); e += 1) {
        addName(row, columns[e] as number);
      }
      normalizeRowsInPlace(row, used);
      embeddings.set(
        row.map((value) => value * weight),
        (i + 1) * dimension - used,
      );
    }
  };
  return { width: used, write };
}

/**
 * Embeddings from the seeds alone: no training, no names, no hyperparameter fitted on test links.
 * Seed labels walk `steps` times over both graphs (see {@link labelSteps}); the labels of all
 * steps, later ones heavier, and optionally the shared attribute names are put side by side and
 * normalised. Compare rows by cosine with CSLS, k = 3. This is the floor that a trained model has
 * to beat.
 *
 * @param data - both graphs.
 * @param split - the seeds that are used and the test pairs whose rows are returned.
 * @param options - steps, width, attributes, stream.
 * @throws {ConfigError} when steps or width is not a positive whole number.
 */
export async function propagateSeeds(
  data: AlignmentData,
  split: Pick<LinkSplit, 'seeds' | 'test'>,
  options: PropagationOptions = {},
): Promise<SeedPropagation> {
  const { steps = 3, width = 256, relationWeight = 0.4, attributeWeight = 0.5 } = options;
  for (const [name, value] of Object.entries({ steps, width })) {
    if (Number.isInteger(value) && value > 0) continue;
    const help = 'Give a positive whole number.';
    throw new ConfigError(`graph/propagateSeeds: ${name} is ${value}.`, { help });
  }
  const random = (options.random ?? createRandom(2024)).fork('propagation');
  const attributes =
    options.attributes === true
      ? sharedAttributes(data, width, random.fork('attributes'))
      : { width: 0, write: () => undefined };
  const dimension = steps * width + attributes.width;
  const embeddings = new Float32Array(data.entityCount * dimension);
  const settings = { seeds: split.seeds, steps, width, relationWeight, signal: options.signal };
  let step = 0;
  for (const labels of labelSteps(data, { ...settings, random: random.fork('seeds') })) {
    const weight = stepWeight(step, steps);
    for (let i = 0; i < data.entityCount; i += 1) {
      const source = labels.subarray(i * width, (i + 1) * width);
      const start = i * dimension + step * width;
      for (let d = 0; d < width; d += 1) embeddings[start + d] = weight * (source[d] as number);
    }
    step += 1;
    await Promise.resolve();
  }
  attributes.write(embeddings, dimension, attributeWeight);
  normalizeRowsInPlace(embeddings, dimension);
  return { dimension, embeddings, ...testRows(embeddings, dimension, split.test) };
}

function testRows(
  embeddings: Float32Array,
  dimension: number,
  test: Int32Array,
): Pick<SeedPropagation, 'left' | 'right'> {
  const left = new Float32Array((test.length / 2) * dimension);
  const right = new Float32Array(left.length);
  for (let i = 0; i < test.length; i += 1) {
    const entity = test[i] as number;
    const row = embeddings.subarray(entity * dimension, (entity + 1) * dimension);
    (i % 2 === 0 ? left : right).set(row, (i >> 1) * dimension);
  }
  return { left, right };
}
