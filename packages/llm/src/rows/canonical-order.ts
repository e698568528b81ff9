/**
 * Bringing the lines of a file into the order of the input.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { eachLine, writeFileAtomic } from '@lab/core';
import { Column } from '../key-table.js';
import { recordHead } from './row-record.js';

const blockBytes = 1 << 18;
const cachedBlocks = 16;
const partBytes = 1 << 18;

/** Where lines begin in a file, by their place in the input. */
export interface LineStarts {
  /** Offset + 1; 0 where a place has no line. */
  readonly starts: Column<Float64Array>;
  /** Largest place of a line; -1 without lines. */
  readonly lastPlace: number;
}

/** No starts of lines yet. */
export const lineStarts = () => new Column((length) => new Float64Array(length));

/**
 * Rewrites a file of records so that its lines stand in the order of the input, the last one of
 * each id; leaves it alone where they do. The change is atomic.
 *
 * @param placeOf - place of an id in the input, from 0; negative for a line that goes.
 * @returns the number of lines.
 * @throws {DataError} when the disk is full; the file is then as it was.
 */
export async function bringIntoOrder(
  path: string,
  placeOf: (id: string) => number,
): Promise<number> {
  const starts = lineStarts();
  let [offset, last, lastPlace, lines] = [0, -1, -1, 0];
  let isOrdered = true;
  await eachLine(path, (text) => {
    const place = placeOf(recordHead(text)?.id ?? '');
    if (place <= last) isOrdered = false; // also for a line that goes
    last = place;
    if (place >= 0) {
      lastPlace = Math.max(lastPlace, place);
      starts.set(place, offset + 1);
    }
    lines += 1;
    offset += Buffer.byteLength(text) + 1;
  });
  return isOrdered ? lines : rewrite(path, { starts, lastPlace });
}

/**
 * As {@link bringIntoOrder}, where it is known how the lines stand: those without a place go.
 *
 * @throws {DataError} as there.
 */
export function putInOrder(path: string, lines: LineStarts): void {
  if (!isOrdered(lines)) rewrite(path, lines);
}

function isOrdered({ starts, lastPlace }: LineStarts): boolean {
  let last = 0;
  for (let place = 0; place <= lastPlace; place += 1) {
    const start = starts.get(place);
    if (start === 0) continue;
    if (start < last) return false;
    last = start;
  }
  return true;
}

function rewrite(path: string, lines: LineStarts): number {
  let kept = 0;
  for (let place = 0; place <= lines.lastPlace; place += 1) {
    if (lines.starts.get(place) > 0) kept += 1;
  }
  writeFileAtomic(path, linesInOrder(path, lines));
  return kept;
}

/** Lines, many together; a part is written before the next one takes its memory. */
function* linesInOrder(path: string, { starts, lastPlace }: LineStarts): Generator<Uint8Array> {
  const file = openSync(path, 'r');
  try {
    const reader = new LineReader(file);
    const part = Buffer.allocUnsafe(partBytes);
    let end = 0;
    for (let place = 0; place <= lastPlace; place += 1) {
      const start = starts.get(place);
      if (start === 0) continue;
      for (const bytes of reader.lineAt(start - 1)) {
        if (end + bytes.length > partBytes) {
          yield part.subarray(0, end);
          end = 0;
        }
        if (bytes.length > partBytes) yield bytes;
        else end += bytes.copy(part, end);
      }
    }
    yield part.subarray(0, end);
  } finally {
    closeSync(file);
  }
}

/** Lines by offset; rows that follow one another lie near each other. */
class LineReader {
  readonly #file: number;
  readonly #blocks = new Map<number, Buffer>();

  constructor(file: number) {
    this.#file = file;
  }

  /** The parts of the line that begins here, with its line feed. */
  lineAt(offset: number): Buffer[] {
    const parts: Buffer[] = [];
    for (let at = offset; ; ) {
      const index = Math.floor(at / blockBytes);
      const block = this.#blockAt(index);
      const from = at - index * blockBytes;
      const end = block.indexOf(10, from);
      if (end >= 0) return [...parts, block.subarray(from, end + 1)];
      if (block.length < blockBytes) return [...parts, block.subarray(from)];
      parts.push(block.subarray(from));
      at = (index + 1) * blockBytes;
    }
  }

  #blockAt(index: number): Buffer {
    const known = this.#blocks.get(index);
    if (known !== undefined) return known;
    const [oldest] = this.#blocks.keys();
    if (oldest !== undefined && this.#blocks.size >= cachedBlocks) this.#blocks.delete(oldest);
    const bytes = Buffer.allocUnsafe(blockBytes);
    const count = readSync(this.#file, bytes, 0, blockBytes, index * blockBytes);
    const block = bytes.subarray(0, count);
    this.#blocks.set(index, block);
    return block;
  }
}
