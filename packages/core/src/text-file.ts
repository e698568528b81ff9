import { isAscii } from 'node:buffer';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { throwDefect, type OnDefect } from './defects.js';
import { DataError } from './errors.js';
import { isText, lineDefect, splitLines, textBlocks } from './text-blocks.js';

const lineFeed = 10;
const carriageReturn = 13;

/** Settings of {@link eachLine}. */
export interface EachLineOptions {
  /** Called for lines that are not text; they are left out. Default: throw. */
  readonly onDefect?: OnDefect | undefined;
  /** Stops the reading with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Resolves after each line of a text file went to `onLine`, with its number from 1, as a stream:
 * files larger than memory are fine. Gzip (known by its first bytes, also several members), a
 * byte-order mark, CRLF and a missing final line feed are accepted; line ends are not part of the
 * text.
 *
 * @throws {DataError} when the file is missing, its gzip is damaged or cut off, or - unless
 *   `onDefect` goes on - a line holds bytes that are not UTF-8 text.
 */
export async function eachLine(
  path: string,
  onLine: (text: string, line: number) => void,
  options: EachLineOptions = {},
): Promise<void> {
  let line = 0;
  for await (const block of textBlocks(path)) {
    options.signal?.throwIfAborted();
    line = visitBlock({ path, block, line, onLine, onDefect: options.onDefect ?? throwDefect });
  }
}

interface BlockVisit {
  readonly path: string;
  readonly block: Buffer;
  /** Lines before this block. */
  readonly line: number;
  readonly onLine: (text: string, line: number) => void;
  readonly onDefect: OnDefect;
}

function visitBlock({ path, block, line, onLine, onDefect }: BlockVisit): number {
  let number = line;
  if (isText(block)) return visitText(block, line, onLine);
  for (const bytes of splitLines(block)) {
    number += 1;
    const defect = lineDefect(bytes, path, number);
    if (defect) onDefect(defect);
    else onLine(withoutReturn(bytes.toString('utf8')), number);
  }
  return number;
}

/** Each line becomes a string of its own: a slice of the block would keep the whole block alive. */
function visitText(block: Buffer, line: number, onLine: BlockVisit['onLine']): number {
  const encoding = isAscii(block) ? 'latin1' : 'utf8';
  let number = line;
  let start = 0;
  while (start < block.length) {
    const found = block.indexOf(lineFeed, start);
    const next = found < 0 ? block.length : found;
    const hasReturn = next > start && block[next - 1] === carriageReturn;
    number += 1;
    onLine(block.toString(encoding, start, hasReturn ? next - 1 : next), number);
    start = next + 1;
  }
  return number;
}

function withoutReturn(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}

/**
 * The path of the first of `names` that exists in a folder, plain or with `.gz`, else `undefined`.
 */
export function findFile(dir: string, names: readonly string[]): string | undefined {
  for (const name of names) {
    for (const candidate of [join(dir, name), join(dir, `${name}.gz`)]) {
      if (existsSync(candidate)) return candidate;
    }
  }
  return undefined;
}

/** Where a value stands: for error messages. */
export interface Place {
  readonly file: string;
  readonly line: number;
  /** What the value is, e.g. `entity id`. */
  readonly field: string;
  /** Column from 1 of the value in `text`. */
  readonly column?: number | undefined;
  /** The whole line. */
  readonly text?: string | undefined;
}

/**
 * The whole number that `text` says; spaces around it are accepted.
 *
 * @throws {DataError} naming file, line and field when it is not one of at most 2^53.
 */
export function parseInteger(text: string, where: Place): number {
  const trimmed = text.trim();
  const value = Number(trimmed);
  if (/^[+-]?\d+$/.test(trimmed) && Number.isSafeInteger(value)) return value;
  const shown = trimmed.length > 40 ? `${trimmed.slice(0, 37)}...` : trimmed;
  throw new DataError(
    `${where.file} line ${where.line}: ${where.field} ${JSON.stringify(shown)} is not an integer.`,
    { ...where, help: `write a whole number as ${where.field}.` },
  );
}
