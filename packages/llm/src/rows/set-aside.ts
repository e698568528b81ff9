/**
 * Damaged lines out of a file of records: kept beside it, so that a run can go on without them.
 */
import { appendFileSync } from 'node:fs';
import { diskProblem } from '../disk-problem.js';
import { bringIntoOrder } from './canonical-order.js';

/** A line that is no record. */
export interface DamagedLine {
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/** Where the damaged lines of a file are kept. */
export const damagedFile = (path: string): string => `${path}.bad`;

/**
 * Moves lines of a file into the file beside it, `{"line": number, "text": text}` each; the others
 * keep their order.
 *
 * @throws {DataError} when the disk is full; no line is lost then.
 */
export async function setAside(path: string, damaged: readonly DamagedLine[]): Promise<void> {
  if (damaged.length === 0) return;
  const bad = damagedFile(path);
  const lines = damaged.map(({ line, text }) => `${JSON.stringify({ line, text })}\n`);
  try {
    appendFileSync(bad, lines.join(''));
  } catch (cause) {
    throw diskProblem(bad, cause);
  }
  const numbers = new Set(damaged.map(({ line }) => line));
  let [line, place] = [0, -1];
  await bringIntoOrder(path, () => {
    line += 1;
    if (numbers.has(line)) return -1;
    place += 1;
    return place;
  });
}
