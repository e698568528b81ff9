import { isUtf8 } from 'node:buffer';
import { readBytes } from './byte-stream.js';
import { DataError } from './errors.js';

const maxLineBytes = 64 * 1024 * 1024;
const lineFeed = 10;

/**
 * The bytes of a text file in blocks that end at line ends (but for the last one), unpacked and
 * without byte-order mark.
 *
 * @throws {DataError} when the file cannot be read, for UTF-16 and for lines above 64 MB.
 */
export async function* textBlocks(path: string): AsyncGenerator<Buffer> {
  let waiting: Uint8Array[] = [];
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

function withoutMark(bytes: Uint8Array, path: string): Uint8Array {
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
 * The blocks of a text file, each checked to be UTF-8 text and to end at a line end (but the last).
 *
 * @throws {DataError} as {@link textBlocks}, and with the line for bytes that are no text.
 */
export async function* checkedBlocks(path: string): AsyncGenerator<Buffer> {
  let line = 0;
  for await (const block of textBlocks(path)) {
    if (!isText(block)) {
      throwFirstDefect(block, path, line);
    }
    for (let at = block.indexOf(lineFeed); at >= 0; at = block.indexOf(lineFeed, at + 1)) line += 1;
    yield block;
  }
}

function throwFirstDefect(block: Buffer, path: string, line: number): void {
  let number = line;
  for (const bytes of splitLines(block)) {
    number += 1;
    const defect = lineDefect(bytes, path, number);
    if (defect) throw defect;
  }
}

/** Whether bytes are UTF-8 without zero bytes. */
export function isText(block: Buffer): boolean {
  return isUtf8(block) && block.indexOf(0) < 0;
}

/** The lines of a block, without line feeds. */
export function* splitLines(block: Buffer): Generator<Buffer> {
  let start = 0;
  while (start < block.length) {
    const found = block.indexOf(lineFeed, start);
    const end = found < 0 ? block.length : found;
    yield block.subarray(start, end);
    start = end + 1;
  }
}

/** What is wrong with the bytes of a line, or `undefined` when they are text. */
export function lineDefect(bytes: Buffer, path: string, line: number): DataError | undefined {
  const zero = bytes.indexOf(0);
  if (zero < 0 && isUtf8(bytes)) return undefined;
  const what = zero >= 0 ? `a zero byte at byte ${zero + 1}` : 'bytes that are not UTF-8';
  return new DataError(`${path} line ${line}: ${what}; this is not a text file.`, {
    file: path,
    line,
    help: 'give a plain or gzipped text file in UTF-8; the file may be damaged or of another kind.',
  });
}
