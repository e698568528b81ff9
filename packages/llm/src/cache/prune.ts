/**
 * Packing a folder of answers: few gzip segments without doubles instead of many plain ones.
 */
import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { diskProblem } from '../disk-problem.js';
import { AnswerIndex } from './answer-index.js';
import { packBlock } from './packed-block.js';
import {
  answerLine,
  isWriterAlive,
  listSegments,
  newSegmentName,
  readAnswers,
  type SegmentFile,
} from './segment.js';

/** Settings of {@link pruneAnswers}. */
export interface PruneOptions {
  /** Drops segments that nobody has written to for so many days; default none. */
  readonly olderThanDays?: number | undefined;
  /** Drops answers of other models than these; default none. */
  readonly models?: readonly string[] | undefined;
}

/** What {@link pruneAnswers} did. */
export interface PruneSummary {
  readonly kept: number;
  /** Doubled answers, and those of models that were not wanted. */
  readonly dropped: number;
  /** Segments that were dropped whole because of their age. */
  readonly expiredSegments: number;
  /** Segments that another process may still write to. */
  readonly skippedSegments: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

const blockBytes = 64 * 1024;
const dayMs = 24 * 3600 * 1000;

/**
 * Packs the closed segments of a folder into one gzip segment. Segments of processes at work stay;
 * those of other machines count as closed after a day. Readers lose nothing: old segments go only
 * when the new one is on disk.
 *
 * @throws {DataError} when the disk is full; the folder is then as it was.
 */
export function pruneAnswers(dir: string, options: PruneOptions = {}): PruneSummary {
  const segments = listSegments(dir);
  const now = folderTime(dir);
  const isOpen = ({ name, changedMs }: SegmentFile) => {
    const alive = isWriterAlive(name);
    return alive === 'unknown' ? now - changedMs < dayMs : alive;
  };
  const closed = segments.filter((segment) => !isOpen(segment));
  const { olderThanDays = Number.POSITIVE_INFINITY } = options;
  const isExpired = ({ changedMs }: SegmentFile) => now - changedMs > olderThanDays * dayMs;
  const expired = closed.filter(isExpired);
  const packed = closed.filter((segment) => !isExpired(segment));
  const counts = packed.length === 0 ? { kept: 0, dropped: 0 } : pack(dir, packed, options);
  for (const { name } of closed) rmSync(join(dir, name), { force: true });
  const bytesOf = (files: readonly SegmentFile[]) => files.reduce((sum, { size }) => sum + size, 0);
  return {
    ...counts,
    expiredSegments: expired.length,
    skippedSegments: segments.length - closed.length,
    bytesBefore: bytesOf(segments),
    bytesAfter: bytesOf(listSegments(dir)),
  };
}

/** The time as the folder's file system has it: clocks of machines that share it differ. */
function folderTime(dir: string): number {
  const probe = mkdtempSync(join(dir, '.time-'));
  try {
    return statSync(probe).mtimeMs;
  } finally {
    rmSync(probe, { recursive: true });
  }
}

function pack(
  dir: string,
  segments: readonly SegmentFile[],
  options: PruneOptions,
): { kept: number; dropped: number } {
  const path = join(dir, newSegmentName('jsonl.gz'));
  const temporary = `${path}.tmp`;
  try {
    const file = openSync(temporary, 'wx');
    try {
      const counts = packInto(file, { dir, segments }, options);
      fsyncSync(file);
      renameSync(temporary, path);
      return counts;
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw diskProblem(temporary, cause);
  }
}

function packInto(
  file: number,
  { dir, segments }: { dir: string; segments: readonly SegmentFile[] },
  { models }: PruneOptions,
): { kept: number; dropped: number } {
  const seen = new AnswerIndex();
  let dropped = 0;
  let lines = '';
  // The newest first: of doubled answers it counts.
  for (const { name } of [...segments].reverse()) {
    for (const { answer } of readAnswers(join(dir, name))) {
      const isWanted = models === undefined || models.includes(answer.servedModel);
      if (!isWanted || seen.rowOf(answer.hash) >= 0) {
        dropped += 1;
        continue;
      }
      seen.set(answer.hash, { segment: 0, offset: 0, length: 0 });
      lines += answerLine(answer);
      if (lines.length < blockBytes) continue;
      writeAll(file, packBlock(Buffer.from(lines)));
      lines = '';
    }
  }
  if (lines !== '') writeAll(file, packBlock(Buffer.from(lines)));
  return { kept: seen.size, dropped };
}

function writeAll(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done);
  }
}
