/**
 * The index of a folder in a file beside the segments, so that a large store opens at once.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '@lab/core';
import { systemCode } from '../disk-problem.js';
import type { AnswerIndex, AnswerPlace } from './answer-index.js';

const fileName = 'answers.index';
const magic = 'LABIDX01';
const rowBytes = 32;
const digestBytes = 32;
const twoTo32 = 2 ** 32;

/** How far a segment is in the index. */
export interface IndexedSegment {
  readonly name: string;
  /** Bytes that the index covers. */
  readonly covered: number;
}

/** What {@link readSideIndex} found. */
export interface SideIndex {
  readonly segments: readonly IndexedSegment[];
  /** Calls back for each row. */
  each(onRow: (key: Uint32Array, place: AnswerPlace) => void): void;
}

/** Writes the index of a folder; a full disk only means that the next opening is slower. */
export function writeSideIndex(
  dir: string,
  index: AnswerIndex,
  segments: readonly IndexedSegment[],
): void {
  const names = Buffer.from(JSON.stringify(segments));
  const head = Buffer.alloc(16);
  head.write(magic, 0, 'latin1');
  head.writeUInt32LE(names.length, 8);
  head.writeUInt32LE(index.size, 12);
  const rows = Buffer.allocUnsafe(index.size * rowBytes);
  for (let row = 0; row < index.size; row += 1) {
    const at = row * rowBytes;
    const key = index.keyAt(row);
    const { segment, offset, length } = index.placeAt(row);
    for (let i = 0; i < 4; i += 1) rows.writeUInt32LE(key[i] ?? 0, at + i * 4);
    rows.writeUInt32LE(segment, at + 16);
    rows.writeUInt32LE(offset % twoTo32, at + 20);
    rows.writeUInt32LE(Math.floor(offset / twoTo32), at + 24);
    rows.writeUInt32LE(length, at + 28);
  }
  const digest = createHash('sha256').update(head).update(names).update(rows).digest();
  writeFileAtomic(join(dir, fileName), [digest, head, names, rows]);
}

/** The index of a folder; undefined where there is none or it is damaged. */
export function readSideIndex(dir: string): SideIndex | undefined {
  const bytes = readIfThere(join(dir, fileName));
  if (bytes === undefined || bytes.length < digestBytes + 16) return undefined;
  const content = bytes.subarray(digestBytes);
  const digest = createHash('sha256').update(content).digest();
  if (!digest.equals(bytes.subarray(0, digestBytes))) return undefined;
  if (content.toString('latin1', 0, 8) !== magic) return undefined;
  const nameBytes = content.readUInt32LE(8);
  const count = content.readUInt32LE(12);
  const rows = content.subarray(16 + nameBytes);
  if (rows.length !== count * rowBytes) return undefined;
  const segments = JSON.parse(content.toString('utf8', 16, 16 + nameBytes)) as IndexedSegment[];
  return { segments, each: (onRow) => eachRow(rows, onRow) };
}

function eachRow(rows: Buffer, onRow: (key: Uint32Array, place: AnswerPlace) => void): void {
  const key = new Uint32Array(4);
  for (let at = 0; at < rows.length; at += rowBytes) {
    for (let i = 0; i < 4; i += 1) key[i] = rows.readUInt32LE(at + i * 4);
    onRow(key, {
      segment: rows.readUInt32LE(at + 16),
      offset: rows.readUInt32LE(at + 24) * twoTo32 + rows.readUInt32LE(at + 20),
      length: rows.readUInt32LE(at + 28),
    });
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return undefined;
  }
}
