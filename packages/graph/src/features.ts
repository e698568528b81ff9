import type { CsrArrays } from '@lab/tensor';
import { countMatrix } from './csr.js';
import type { AlignmentData } from './knowledge-graph.js';

/** How the relation counts of an entity are scaled. */
export type FeatureScaling = 'none' | 'log1p' | 'l2' | 'idf';

/** Options of {@link relationFeatures} and {@link attributeFeatures}. */
export interface FeatureOptions {
  /** The most frequent names that become columns, default 1,000. */
  readonly columns?: number | undefined;
  /** True: always `columns` wide; false (default): as narrow as there are names. */
  readonly pad?: boolean | undefined;
}

/** Column of each name, -1 for those beyond the most frequent; ties: smaller index first. */
function frequentColumns(
  counts: Float64Array,
  limit: number,
): { columnOf: Int32Array; width: number } {
  const order = Array.from(counts.keys()).filter((name) => (counts[name] as number) > 0);
  order.sort((a, b) => (counts[b] as number) - (counts[a] as number) || a - b);
  const columnOf = new Int32Array(counts.length).fill(-1);
  const width = Math.min(limit, order.length);
  for (let column = 0; column < width; column += 1) columnOf[order[column] as number] = column;
  return { columnOf, width };
}

/** Relations renumbered in the order of their first triple. */
function firstSeenOrder(relations: Int32Array, relationCount: number): Int32Array {
  const rank = new Int32Array(relationCount).fill(-1);
  let next = 0;
  for (const relation of relations) {
    if (rank[relation] !== -1) continue;
    rank[relation] = next;
    next += 1;
  }
  return rank;
}

/**
 * Relation bags `[N, columns]`: for every triple 1 is added to the column of its relation in the
 * rows of head and tail. Columns are the most frequent relations of both graphs (ties: the one
 * seen first), most frequent first; repeated triples count again.
 *
 * Source: sutaoyu/IBMEA, `load_relation`; equation not verified.
 *
 * @param data - entities and triples.
 * @param options - number of columns, padding, scaling: `none` raw counts, `log1p` ln(1 + c), `l2`
 *   rows of norm 1, `idf` c * ln(N / entities that have the relation).
 */
export function relationFeatures(
  data: Pick<AlignmentData, 'entityCount' | 'triples' | 'relationIds'>,
  options: FeatureOptions & { readonly scaling?: FeatureScaling | undefined } = {},
): CsrArrays {
  const { heads, relations, tails } = data.triples;
  const limit = options.columns ?? 1000;
  const rank = firstSeenOrder(relations, data.relationIds.length);
  const counts = new Float64Array(data.relationIds.length);
  for (const relation of relations) {
    const seen = rank[relation] as number;
    counts[seen] = (counts[seen] as number) + 1;
  }
  const { columnOf, width } = frequentColumns(counts, limit);
  const rows = new Int32Array(2 * heads.length);
  const columns = new Int32Array(2 * heads.length);
  let count = 0;
  for (let e = 0; e < heads.length; e += 1) {
    const column = columnOf[rank[relations[e] as number] as number] as number;
    if (column < 0) continue;
    rows[count] = heads[e] as number;
    rows[count + 1] = tails[e] as number;
    columns.fill(column, count, count + 2);
    count += 2;
  }
  const matrix = countMatrix({
    rowCount: data.entityCount,
    columnCount: options.pad === true ? limit : width,
    rows: rows.subarray(0, count),
    columns: columns.subarray(0, count),
  });
  return scaleFeatures(matrix, options.scaling ?? 'none');
}

/**
 * A sparse matrix of counts with scaled values; the pattern is shared with the input.
 *
 * @param matrix - counts `[N, F]`.
 * @param scaling - see {@link relationFeatures}.
 */
export function scaleFeatures(matrix: CsrArrays, scaling: FeatureScaling): CsrArrays {
  const counts = matrix.values ?? new Float32Array(matrix.columns.length).fill(1);
  if (scaling === 'none') return { ...matrix, values: counts };
  if (scaling === 'log1p') return { ...matrix, values: counts.map((count) => Math.log1p(count)) };
  if (scaling === 'l2') return { ...matrix, values: normalizeRowValues(matrix, counts) };
  const weights = inverseFrequency(matrix);
  const scaled = counts.map((count, e) => count * (weights[matrix.columns[e] as number] as number));
  return { ...matrix, values: scaled };
}

/**
 * Inverse document frequency `ln(rows / rows that have the column)` of each column, `[F]`; 0 for a
 * column that no row has.
 *
 * @param matrix - each (row, column) at most once.
 */
export function inverseFrequency(matrix: CsrArrays): Float32Array {
  const frequency = new Float32Array(matrix.columnCount);
  for (const column of matrix.columns) frequency[column] = (frequency[column] as number) + 1;
  return frequency.map((rows) => (rows === 0 ? 0 : Math.log(matrix.rowCount / rows)));
}

function normalizeRowValues(matrix: CsrArrays, values: Float32Array): Float32Array {
  const result = Float32Array.from(values);
  for (let i = 0; i < matrix.rowCount; i += 1) {
    const row = result.subarray(matrix.rowPointers[i], matrix.rowPointers[i + 1]);
    let sum = 0;
    for (const value of row) sum += value * value;
    const scale = sum > 0 ? 1 / Math.sqrt(sum) : 0;
    for (let e = 0; e < row.length; e += 1) row[e] = (row[e] as number) * scale;
  }
  return result;
}

/**
 * Attribute bags `[N, columns]` of zeros and ones, null when the data have no attributes. Columns
 * are the names that the most entities have (ties: the one seen first).
 *
 * Source: sutaoyu/IBMEA, `load_attr`; equation not verified.
 *
 * @param data - entities and their attribute names.
 * @param options - number of columns, padding.
 */
export function attributeFeatures(
  data: Pick<AlignmentData, 'entityCount' | 'attributes'>,
  options: FeatureOptions = {},
): CsrArrays | null {
  if (data.attributes === null) return null;
  const { names, rowPointers, columns: attributes } = data.attributes;
  const limit = options.columns ?? 1000;
  const counts = new Float64Array(names.length);
  for (const name of attributes) counts[name] = (counts[name] as number) + 1;
  const { columnOf, width } = frequentColumns(counts, limit);
  const rows = new Int32Array(attributes.length);
  const columns = new Int32Array(attributes.length);
  let count = 0;
  for (let i = 0; i < data.entityCount; i += 1) {
    for (let e = rowPointers[i] as number; e < (rowPointers[i + 1] as number); e += 1) {
      const column = columnOf[attributes[e] as number] as number;
      if (column < 0) continue;
      rows[count] = i;
      columns[count] = column;
      count += 1;
    }
  }
  return countMatrix({
    rowCount: data.entityCount,
    columnCount: options.pad === true ? limit : width,
    rows: rows.subarray(0, count),
    columns: columns.subarray(0, count),
  });
}
