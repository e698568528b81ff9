import { ConfigError, DataError } from '@lab/core';

/** Samples as rows of a matrix, row-major. */
export interface FeatureMatrix {
  /** N, at least 1. */
  readonly rowCount: number;
  /** F. */
  readonly columnCount: number;
  /** `[N * F]`, all finite. */
  readonly values: Float32Array | Float64Array;
}

/**
 * Nothing, when a matrix has as many finite values as its sizes say.
 *
 * @param where - what is called, e.g. `metrics/fitSvm`.
 * @throws {ConfigError} when it has no rows or sizes and values disagree.
 * @throws {DataError} naming row and column of the first value that is not finite.
 */
export function checkFeatures(where: string, matrix: FeatureMatrix): void {
  const { rowCount, columnCount, values } = matrix;
  if (rowCount < 1 || rowCount * columnCount !== values.length) {
    throw new ConfigError(
      `${where}: ${values.length} values are not ${rowCount} rows of ${columnCount}.`,
      { help: 'give at least one row, and the values row by row.' },
    );
  }
  for (let at = 0; at < values.length; at += 1) {
    if (Number.isFinite(values[at])) continue;
    const [row, column] = [Math.floor(at / columnCount), at % columnCount];
    throw new DataError(`${where}: row ${row}, column ${column} is ${values[at]}.`, {
      help: 'drop the row, or find where its values stop being finite.',
      details: { row, column },
    });
  }
}

/** The rows with these indices, in their order: a copy. */
export function selectRows(matrix: FeatureMatrix, indices: ArrayLike<number>): FeatureMatrix {
  const { columnCount, values } = matrix;
  const out =
    values instanceof Float32Array
      ? new Float32Array(indices.length * columnCount)
      : new Float64Array(indices.length * columnCount);
  for (let row = 0; row < indices.length; row += 1) {
    const start = indices[row]! * columnCount;
    out.set(values.subarray(start, start + columnCount), row * columnCount);
  }
  return { rowCount: indices.length, columnCount, values: out };
}

/** Classes of samples: which there are, and for each sample the place of its class. */
export interface ClassIndex {
  /** Labels that occur, ascending. */
  readonly classes: Int32Array;
  /** Place in `classes` of each sample, `[N]`. */
  readonly places: Int32Array;
  /** Samples of each class. */
  readonly counts: Int32Array;
}

/**
 * The classes that occur in labels.
 *
 * @param where - what is called.
 * @param labels - a whole number per sample.
 * @param rowCount - the number of samples that must be labelled.
 * @throws {ConfigError} when there are more or fewer labels than samples.
 * @throws {DataError} when a label is no whole number, or all are the same.
 */
export function indexClasses(
  where: string,
  labels: ArrayLike<number>,
  rowCount: number,
): ClassIndex {
  if (labels.length !== rowCount) {
    throw new ConfigError(`${where}: ${rowCount} rows have ${labels.length} labels.`, {
      help: 'give one label per row.',
    });
  }
  const all = Array.from(labels);
  const odd = all.findIndex((label) => !Number.isInteger(label));
  if (odd >= 0) {
    throw new DataError(`${where}: label ${odd} is ${all[odd]}.`, {
      help: 'number the classes 0, 1, 2 ...',
    });
  }
  const classes = Int32Array.from(new Set(all)).sort();
  if (classes.length < 2) {
    throw new DataError(`${where}: all ${rowCount} samples are of class ${classes[0]}.`, {
      help: 'give samples of two classes at least; a stratified split keeps some of each.',
    });
  }
  const placeOf = new Map(Array.from(classes, (label, place) => [label, place]));
  const places = Int32Array.from(all, (label) => placeOf.get(label)!);
  const counts = new Int32Array(classes.length);
  for (const place of places) counts[place]! += 1;
  return { classes, places, counts };
}
