/**
 * Segments: files of answers, one a line, each written by one process only.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { StoredAnswer } from '../answer-cache.js';
import { systemCode } from '../disk-problem.js';
import type { AnswerPlace } from './answer-index.js';
import { blockHeaderBytes, blockLength, unpackBlock } from './packed-block.js';

const lineFeed = 10;
const chunkBytes = 1 << 20;

/** Whether a file name is one of a segment. */
export function isSegmentName(name: string): boolean {
  return /^answers-.+\.jsonl(\.gz)?$/.test(name);
}

/** A name that no other process takes; it says which process writes there. */
export function newSegmentName(extension: 'jsonl' | 'jsonl.gz' = 'jsonl'): string {
  const host = hostname().replace(/[^A-Za-z0-9]+/g, '_');
  return `answers-${host}-${process.pid}-${randomBytes(6).toString('hex')}.${extension}`;
}

/** Whether the process that writes a segment may still be at work, on this machine. */
export function isWriterAlive(name: string): boolean | 'unknown' {
  const parts = /^answers-(.+)-(\d+)-[0-9a-f]+\.jsonl$/.exec(name);
  if (parts === null) return false; // packed segments are written once
  if (parts[1] !== hostname().replace(/[^A-Za-z0-9]+/g, '_')) return 'unknown';
  try {
    process.kill(Number(parts[2]), 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

/** A segment as the folder lists it. */
export interface SegmentFile {
  readonly name: string;
  readonly size: number;
  readonly changedMs: number;
}

/** The segments of a folder, the oldest first; one that goes away meanwhile is left out. */
export function listSegments(dir: string): SegmentFile[] {
  const found: SegmentFile[] = [];
  for (const name of readdirSync(dir)) {
    if (!isSegmentName(name)) continue;
    const stat = statSync(join(dir, name), { throwIfNoEntry: false });
    if (stat !== undefined) found.push({ name, size: stat.size, changedMs: stat.mtimeMs });
  }
  return found.sort((a, b) => a.changedMs - b.changedMs || (a.name < b.name ? -1 : 1));
}

/** Called for each answer of a segment: its hash and where it lies. */
export type OnAnswer = (hash: string, place: Omit<AnswerPlace, 'segment'>) => void;

/**
 * Lists the answers of a segment from a byte on; returns where the next scan goes on. A torn last
 * line, as a kill leaves it, and lines that are no answers are passed over.
 */
export function scanSegment(path: string, from: number, onAnswer: OnAnswer): number {
  const lines = segmentLines(path, from);
  for (;;) {
    const step = lines.next();
    if (step.done === true) return step.value;
    const { bytes, offset, length } = step.value;
    const hash = hashOfLine(bytes);
    if (hash !== undefined) onAnswer(hash, { offset, length });
  }
}

/** A line and where it lies; of a packed segment, where its block lies. */
interface SegmentLine {
  /** Valid until the next line is taken. */
  readonly bytes: Buffer;
  readonly offset: number;
  readonly length: number;
}

/** The whole lines of a segment; returns where the first that is not whole begins. */
function* segmentLines(path: string, from: number): Generator<SegmentLine, number> {
  const file = openIfThere(path);
  if (file === undefined) return from;
  try {
    const span = { from, size: fstatSync(file).size };
    return yield* path.endsWith('.gz') ? packedLines(file, span) : plainLines(file, span);
  } finally {
    closeSync(file);
  }
}

interface Span {
  readonly from: number;
  readonly size: number;
}

function* plainLines(file: number, { from, size }: Span): Generator<SegmentLine, number> {
  let buffer = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(1, size - from)));
  let start = from; // of the line that is not whole yet
  let held = 0;
  let at = from;
  while (at < size) {
    if (held === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(held)]);
    const count = readSync(file, buffer, held, Math.min(buffer.length - held, size - at), at);
    if (count === 0) break;
    at += count;
    const bytes = buffer.subarray(0, held + count);
    let line = 0;
    for (let end = bytes.indexOf(lineFeed, held); end >= 0; end = bytes.indexOf(lineFeed, line)) {
      yield { bytes: bytes.subarray(line, end), offset: start, length: end - line };
      start += end + 1 - line;
      line = end + 1;
    }
    held = bytes.length - line;
    buffer.copyWithin(0, line, bytes.length);
  }
  return start;
}

function* packedLines(file: number, { from, size }: Span): Generator<SegmentLine, number> {
  let at = from;
  const header = Buffer.alloc(blockHeaderBytes);
  while (at < size) {
    const count = readSync(file, header, 0, header.length, at);
    const length = blockLength(header.subarray(0, count));
    if (length === undefined || at + length > size) break;
    const lines = unpackBlock(readSpan(file, at, length));
    for (const bytes of lines === undefined ? [] : linesOf(lines)) {
      yield { bytes, offset: at, length };
    }
    at += length;
  }
  return at;
}

function* linesOf(bytes: Buffer): Generator<Buffer> {
  let start = 0;
  for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, start)) {
    yield bytes.subarray(start, end);
    start = end + 1;
  }
}

const head = Buffer.from('{"hash":"');

/** The hash of a line without reading all of it; undefined where it is no answer. */
function hashOfLine(line: Buffer): string | undefined {
  if (line.length > head.length && line.subarray(0, head.length).equals(head)) {
    const end = line.indexOf(34, head.length);
    if (end > 0 && line.at(-1) === 125) return line.toString('latin1', head.length, end);
  }
  return parseAnswer(line.toString('utf8'))?.hash;
}

/** The line of an answer: the hash first, as scans look for it there. */
export function answerLine({ hash, ...answer }: StoredAnswer): string {
  return `${JSON.stringify({ hash, ...answer })}\n`;
}

/** The answer of a line; undefined where it is none. */
export function parseAnswer(text: string): StoredAnswer | undefined {
  try {
    const value = JSON.parse(text) as StoredAnswer | null;
    return typeof value?.hash === 'string' ? value : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** The answer with this hash in what a segment holds at a place. */
export function answerIn(bytes: Buffer, hash: string, isPacked: boolean): StoredAnswer | undefined {
  const lines = isPacked ? unpackBlock(bytes) : bytes;
  if (lines === undefined) return undefined;
  if (!isPacked) {
    const answer = parseAnswer(lines.toString('utf8'));
    return answer?.hash === hash ? answer : undefined;
  }
  for (const line of linesOf(lines)) {
    if (hashOfLine(line) === hash) return parseAnswer(line.toString('utf8'));
  }
  return undefined;
}

/** All answers of a segment with their places, one after the other. */
export function* readAnswers(
  path: string,
): Generator<{ readonly answer: StoredAnswer; readonly offset: number }, void> {
  for (const { bytes, offset } of segmentLines(path, 0)) {
    const answer = parseAnswer(bytes.toString('utf8'));
    if (answer !== undefined) yield { answer, offset };
  }
}

function readSpan(file: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return undefined;
  }
}
