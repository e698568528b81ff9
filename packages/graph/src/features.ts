import type { CsrArrays } from '@lab/tensor';
import { countMatrix } from './csr.js';
import type { AlignmentData } from './knowledge-graph.js';

/** How the relation counts of an entity are scaled. */
export type FeatureScaling = 'none' | 'log1p' | 'l2' | 'idf';

const defaultColumns = 1000;

/** Options of {@link relationFeatures} and {@link attributeFeatures}. */
export interface FeatureOptions {
  /** The most frequent names that become columns, default 1,000. */
  readonly columns?: number | undefined;
  /** True: always `columns` wide; false (default): as narrow as there are names. */
  readonly pad?: boolean | undefined;
}

/** Data whose columns are those of other data, e.g. of the data that a model was trained on. */
export interface ColumnSource {
  /** Names and counts that decide on the columns; default the data themselves. */
  readonly columnsOf?:
    | Pick<AlignmentData, 'entityCount' | 'triples' | 'relationIds' | 'attributes'>
    | undefined;
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
 * @param data - entities and triples; with `columnsOf`, columns (and the N and the entities of
 *   `idf`) are those of other data with the same relations.
 * @param options - number of columns, padding, scaling: `none` raw counts, `log1p` ln(1 + c), `l2`
 *   rows of norm 1, `idf` c * ln(N / entities that have the relation).
 */
export function relationFeatures(
  data: Pick<AlignmentData, 'entityCount' | 'triples' | 'relationIds'> & ColumnSource,
  options: FeatureOptions & { readonly scaling?: FeatureScaling | undefined } = {},
): CsrArrays {
  const { columnsOf: source } = data;
  const { rank, columnOf, width } = relationColumns(source ?? data, options);
  const matrix = relationCounts(data, {
    columnOf: (relation) => columnOf[rank[relation] as number] ?? -1,
    columnCount: options.pad === true ? (options.columns ?? defaultColumns) : width,
  });
  if (options.scaling !== 'idf' || source === undefined) {
    return scaleFeatures(matrix, options.scaling ?? 'none');
  }
  const weights = inverseFrequency(relationFeatures(source, { ...options, scaling: 'none' }));
  return { ...matrix, values: weightedValues(matrix, weights) };
}

/** Columns of the relations by their frequency in the data. */
function relationColumns(
  { triples: { relations }, relationIds }: Pick<AlignmentData, 'triples' | 'relationIds'>,
  options: FeatureOptions,
): { rank: Int32Array; columnOf: Int32Array; width: number } {
  const rank = firstSeenOrder(relations, relationIds.length);
  const counts = new Float64Array(relationIds.length);
  for (const relation of relations) {
    const seen = rank[relation] as number;
    counts[seen] = (counts[seen] as number) + 1;
  }
  return { rank, ...frequentColumns(counts, options.columns ?? defaultColumns) };
}

/** Counts of the relations with a column, at both ends of every triple. */
function relationCounts(
  { entityCount, triples }: Pick<AlignmentData, 'entityCount' | 'triples'>,
  layout: { readonly columnOf: (relation: number) => number; readonly columnCount: number },
): CsrArrays {
  const { heads, relations, tails } = triples;
  const rows = new Int32Array(2 * heads.length);
  const columns = new Int32Array(2 * heads.length);
  let count = 0;
  for (let e = 0; e < heads.length; e += 1) {
    const column = layout.columnOf(relations[e] as number);
    if (column < 0) continue;
    rows[count] = heads[e] as number;
    rows[count + 1] = tails[e] as number;
    columns.fill(column, count, count + 2);
    count += 2;
  }
  return countMatrix({
    rowCount: entityCount,
    columnCount: layout.columnCount,
    rows: rows.subarray(0, count),
    columns: columns.subarray(0, count),
  });
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
  const values = weightedValues({ ...matrix, values: counts }, inverseFrequency(matrix));
  return { ...matrix, values };
}

/** Every value times the weight of its column. */
function weightedValues({ columns, values }: CsrArrays, weights: Float32Array): Float32Array {
  return values!.map((value, e) => value * (weights[columns[e] as number] as number));
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
 * @param data - entities and their attribute names; with `columnsOf`, columns are those of other
 *   data with the same names.
 * @param options - number of columns, padding.
 */
export function attributeFeatures(
  data: Pick<AlignmentData, 'entityCount' | 'attributes'> & ColumnSource,
  options: FeatureOptions = {},
): CsrArrays | null {
  if (data.attributes === null) return null;
  const { names, rowPointers, columns: attributes } = data.attributes;
  const limit = options.columns ?? defaultColumns;
  const counts = new Float64Array(names.length);
  const counted = (data.columnsOf ?? data).attributes;
  for (const name of counted?.columns ?? []) counts[name] = (counts[name] as number) + 1;
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
