import { isUtf8 } from 'node:buffer';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { throwDefect, type OnDefect } from './defects.js';
import { DataError } from './errors.js';
import { readBytes } from './byte-stream.js';

/** Settings of {@link eachLine}. */
export interface EachLineOptions {
  /** Called for lines that are not text; they are left out. Default: throw. */
  readonly onDefect?: OnDefect | undefined;
  /** Stops the reading with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const maxLineBytes = 64 * 1024 * 1024;
const lineFeed = 10;

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
  if (isText(block)) {
    for (const text of linesOf(block)) onLine(text, ++number);
    return number;
  }
  for (const bytes of splitLines(block)) {
    number += 1;
    const defect = lineDefect(bytes, path, number);
    if (defect) onDefect(defect);
    else onLine(withoutReturn(bytes.toString('utf8')), number);
  }
  return number;
}

function linesOf(block: Buffer): string[] {
  const lines = block.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (let i = 0; i < lines.length; i += 1) lines[i] = withoutReturn(lines[i]!);
  return lines;
}

function withoutReturn(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}

function* splitLines(block: Buffer): Generator<Buffer> {
  let start = 0;
  while (start < block.length) {
    const found = block.indexOf(lineFeed, start);
    const end = found < 0 ? block.length : found;
    yield block.subarray(start, end);
    start = end + 1;
  }
}

function lineDefect(bytes: Buffer, path: string, line: number): DataError | undefined {
  const zero = bytes.indexOf(0);
  if (zero < 0 && isUtf8(bytes)) return undefined;
  const what = zero >= 0 ? `a zero byte at byte ${zero + 1}` : 'bytes that are not UTF-8';
  return new DataError(`${path} line ${line}: ${what}; this is not a text file.`, {
    file: path,
    line,
    help: 'give a plain or gzipped text file in UTF-8; the file may be damaged or of another kind.',
  });
}

/**
 * The bytes of a text file in blocks that end at line ends (but for the last one), unpacked and
 * without byte-order mark.
 *
 * @throws {DataError} see {@link eachLine}; also for UTF-16 and for lines above 64 MB.
 */
async function* textBlocks(path: string): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let isFirst = true;
  for await (const chunk of readBytes(path)) {
    const bytes = isFirst ? withoutMark(chunk, path) : chunk;
    isFirst = false;
    const end = bytes.lastIndexOf(lineFeed) + 1;
    if (end > 0) {
      yield Buffer.concat([...waiting, bytes.subarray(0, end)]);
      waiting = [];
      waitingBytes = 0;
    }
    if (end < bytes.length) {
      waiting.push(bytes.subarray(end));
      waitingBytes += bytes.length - end;
    }
    if (waitingBytes > maxLineBytes) throw tooLong(path);
  }
  if (waitingBytes > 0) yield Buffer.concat(waiting);
}

/**
 * The blocks of a text file, each checked to be UTF-8 text and to end at a line end (but the last).
 *
 * @throws {DataError} see {@link eachLine}.
 */
export async function* checkedBlocks(path: string): AsyncGenerator<Buffer> {
  let line = 0;
  for await (const block of textBlocks(path)) {
    if (!isText(block)) {
      visitBlock({ path, block, line, onLine: () => undefined, onDefect: throwDefect });
    }
    for (let at = block.indexOf(lineFeed); at >= 0; at = block.indexOf(lineFeed, at + 1)) line += 1;
    yield block;
  }
}

function isText(block: Buffer): boolean {
  return isUtf8(block) && block.indexOf(0) < 0;
}

function withoutMark(bytes: Buffer, path: string): Buffer {
  const [a, b, c] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return bytes.subarray(3);
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
    throw new DataError(`${path} line 1: the text is in UTF-16.`, {
      file: path,
      line: 1,
      help: 'save the file as UTF-8.',
    });
  }
  return bytes;
}

function tooLong(path: string): DataError {
  return new DataError(`${path}: a line is longer than 64 MB; this is not a text file.`, {
    file: path,
    help: 'give a plain or gzipped text file in UTF-8.',
  });
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
