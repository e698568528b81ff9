import { DataError } from './errors.js';

/** Called by readers for each defect of the data; the reader goes on when it returns. */
export type OnDefect = (defect: DataError) => void;

/** The default of every reader: the first defect is thrown. */
export const throwDefect: OnDefect = (defect) => {
  throw defect;
};

/** Defects seen so far; see {@link collectDefects}. */
export interface DefectCollection {
  /** Hand this to a reader. */
  readonly onDefect: OnDefect;
  /** The first `limit` defects. */
  readonly defects: DataError[];
  /** Number of all defects, also of those not kept. */
  readonly count: number;
}

/**
 * A collection for readers that should report every defect of a folder at once.
 *
 * @param limit - how many defects are kept; the others are only counted.
 */
export function collectDefects(limit = 20): DefectCollection {
  const defects: DataError[] = [];
  let count = 0;
  return {
    onDefect(defect) {
      count += 1;
      if (defects.length < limit) defects.push(defect);
    },
    defects,
    get count() {
      return count;
    },
  };
}

/**
 * The value of `body`, or `undefined` when it threw a DataError, which then went to `onDefect`.
 * Other errors pass through.
 */
export function reportDefect<T>(onDefect: OnDefect, body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    onDefect(error);
    return undefined;
  }
}
