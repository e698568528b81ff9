/**
 * Bringing the lines of a file into the order of the input.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { eachLine, writeFileAtomic } from '@lab/core';
import { Column } from '../key-table.js';
import { recordHead } from './row-record.js';

const blockBytes = 1 << 18;
const cachedBlocks = 16;
const rowsPerPart = 256;

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
  const offsets = new Column((length) => new Float64Array(length));
  let [offset, last, highest, lines] = [0, -1, -1, 0];
  let isOrdered = true;
  await eachLine(path, (text) => {
    const place = placeOf(recordHead(text)?.id ?? '');
    if (place <= last) isOrdered = false; // also for a line that goes
    last = place;
    if (place >= 0) {
      highest = Math.max(highest, place);
      offsets.set(place, offset + 1); // 0 means none
    }
    lines += 1;
    offset += Buffer.byteLength(text) + 1;
  });
  if (isOrdered) return lines;
  let kept = 0;
  for (let place = 0; place <= highest; place += 1) if (offsets.get(place) > 0) kept += 1;
  writeFileAtomic(path, linesInOrder(path, offsets, highest));
  return kept;
}

function* linesInOrder(
  path: string,
  offsets: Column<Float64Array>,
  highest: number,
): Generator<Uint8Array> {
  const file = openSync(path, 'r');
  try {
    const reader = new LineReader(file);
    let part: Uint8Array[] = [];
    for (let place = 0; place <= highest; place += 1) {
      const offset = offsets.get(place);
      if (offset > 0) part.push(...reader.lineAt(offset - 1));
      if (part.length < rowsPerPart) continue;
      yield Buffer.concat(part);
      part = [];
    }
    yield Buffer.concat(part);
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
