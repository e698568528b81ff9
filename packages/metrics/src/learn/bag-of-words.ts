import { ConfigError, DataError } from '@lab/core';

/** A sparse matrix: row i holds `values[offsets[i] .. offsets[i + 1]]` at `columns` of the same. */
export interface SparseRows {
  readonly rowCount: number;
  readonly columnCount: number;
  readonly offsets: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

/** Settings of {@link fitBagOfWords}. */
export interface BagOfWordsOptions {
  /** Words in a row that make a feature, at most; default 1. */
  readonly mostWords?: number;
  /** Texts that must have a feature for it to count; default 1. */
  readonly leastTexts?: number;
}

/** The features of texts: words, and runs of words, of a vocabulary. */
export interface BagOfWords {
  /** Features in alphabetical order of their code units. */
  readonly vocabulary: readonly string[];
  /** `ln((1 + N) / (1 + texts with it)) + 1` of each feature. */
  readonly inverseFrequencies: Float64Array;
  /** How often each text has each feature. */
  counts(texts: readonly string[]): SparseRows;
  /** Counts times inverse frequencies, each row of length 1. */
  tfIdf(texts: readonly string[]): SparseRows;
}

const WORD = /[\p{L}\p{M}\p{N}_]{2,}/gu;

/** Lower-cased runs of at least two letters, digits or underscores. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(WORD) ?? [];
}

/**
 * The words of texts as features: what they are counted by.
 *
 * What `CountVectorizer` and `TfidfVectorizer` of scikit-learn make of texts.
 *
 * @param texts - at least one with a word.
 * @throws {DataError} when no text has a word.
 * @throws {ConfigError} when a setting is no whole number of at least 1.
 */
export function fitBagOfWords(
  texts: readonly string[],
  { mostWords = 1, leastTexts = 1 }: BagOfWordsOptions = {},
): BagOfWords {
  for (const [name, value] of Object.entries({ mostWords, leastTexts })) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new ConfigError(`metrics/fitBagOfWords: ${name} is ${value}, allowed are 1, 2, ...`);
  }
  const textsWith = new Map<string, number>();
  for (const text of texts) {
    for (const feature of new Set(featuresOf(text, mostWords))) {
      textsWith.set(feature, (textsWith.get(feature) ?? 0) + 1);
    }
  }
  const vocabulary = [...textsWith.keys()]
    .filter((feature) => textsWith.get(feature)! >= leastTexts)
    .sort((a, b) => (a < b ? -1 : 1));
  if (vocabulary.length === 0) {
    throw new DataError(`metrics/fitBagOfWords: no word occurs in ${leastTexts} of the texts.`, {
      help: 'give texts with words of two letters at least.',
    });
  }
  const places = new Map(vocabulary.map((feature, place) => [feature, place]));
  const inverseFrequencies = Float64Array.from(
    vocabulary,
    (feature) => Math.log((1 + texts.length) / (1 + textsWith.get(feature)!)) + 1,
  );
  const counts = (own: readonly string[]) => countRows(own, places, mostWords);
  return {
    ...{ vocabulary, inverseFrequencies, counts },
    tfIdf: (own) => weighted(counts(own), inverseFrequencies),
  };
}

function featuresOf(text: string, mostWords: number): string[] {
  const words = wordsOf(text);
  if (mostWords === 1) return words;
  const features: string[] = [];
  for (let length = 1; length <= mostWords; length += 1) {
    for (let at = 0; at + length <= words.length; at += 1) {
      features.push(words.slice(at, at + length).join(' '));
    }
  }
  return features;
}

function countRows(
  texts: readonly string[],
  places: ReadonlyMap<string, number>,
  mostWords: number,
): SparseRows {
  const offsets = [0];
  const columns: number[] = [];
  const values: number[] = [];
  for (const text of texts) {
    const counts = new Map<number, number>();
    for (const feature of featuresOf(text, mostWords)) {
      const place = places.get(feature);
      if (place !== undefined) counts.set(place, (counts.get(place) ?? 0) + 1);
    }
    for (const [place, count] of [...counts].sort(([a], [b]) => a - b)) {
      columns.push(place);
      values.push(count);
    }
    offsets.push(columns.length);
  }
  return {
    ...{ rowCount: texts.length, columnCount: places.size, offsets: Int32Array.from(offsets) },
    ...{ columns: Int32Array.from(columns), values: Float64Array.from(values) },
  };
}

function weighted(rows: SparseRows, weights: Float64Array): SparseRows {
  const { offsets, columns } = rows;
  const values = rows.values.map((count, at) => count * weights[columns[at]!]!);
  for (let row = 0; row < rows.rowCount; row += 1) {
    const own = values.subarray(offsets[row]!, offsets[row + 1]!);
    const length = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
    if (length > 0) for (let at = 0; at < own.length; at += 1) own[at]! /= length;
  }
  return { ...rows, values };
}

/**
 * Inner products of the rows of two sparse matrices.
 *
 * @returns `[M, N]`.
 * @throws {ConfigError} when they have different columns.
 */
export function sparseProducts(a: SparseRows, b: SparseRows): Float64Array {
  if (a.columnCount !== b.columnCount) {
    throw new ConfigError(
      `metrics/sparseProducts: rows are ${a.columnCount} and ${b.columnCount} wide.`,
    );
  }
  const out = new Float64Array(a.rowCount * b.rowCount);
  const dense = new Float64Array(a.columnCount);
  for (let i = 0; i < a.rowCount; i += 1) {
    for (let at = a.offsets[i]!; at < a.offsets[i + 1]!; at += 1) {
      dense[a.columns[at]!] = a.values[at]!;
    }
    for (let j = 0; j < b.rowCount; j += 1) {
      let sum = 0;
      for (let at = b.offsets[j]!; at < b.offsets[j + 1]!; at += 1) {
        sum += dense[b.columns[at]!]! * b.values[at]!;
      }
      out[i * b.rowCount + j] = sum;
    }
    for (let at = a.offsets[i]!; at < a.offsets[i + 1]!; at += 1) dense[a.columns[at]!] = 0;
  }
  return out;
}
