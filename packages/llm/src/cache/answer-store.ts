/**
 * Answers on disk by the hash of their request.
 *
 * A folder of segments: files of one answer a line, each appended to by one process only. There is
 * no lock: two processes that keep the same answer keep it twice, which is harmless. A crash loses
 * at most the lines that nobody was told are kept.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, makeFolder } from '@lab/core';
import type { AnswerStore, StoredAnswer } from '../answer-cache.js';
import { type Clock, systemClock } from '../clock.js';
import { systemCode } from '../disk-problem.js';
import { SyncedFile } from '../synced-file.js';
import { AnswerIndex, type AnswerPlace } from './answer-index.js';
import {
  answerIn,
  answerLine,
  listSegments,
  newSegmentName,
  readAnswers,
  scanSegment,
} from './segment.js';
import { readSideIndex, writeSideIndex } from './side-index.js';

/** Settings of {@link openAnswerStore}. */
export interface AnswerStoreOptions {
  readonly clock?: Clock | undefined;
  /**
   * Milliseconds after which a miss looks for answers of other processes, default 500. Looking
   * never takes more than a twentieth of the time.
   */
  readonly refreshMs?: number | undefined;
  /** Milliseconds between two flushes to the disk while answers keep coming, default 5. */
  readonly gapMs?: number | undefined;
  /** Unindexed answers from which on closing writes the side index; default 10,000. */
  readonly sideIndexRows?: number | undefined;
}

/** A store of answers on disk. */
export interface FileAnswerStore extends AnswerStore {
  readonly dir: string;
  /** Number of answers. */
  readonly size: number;
  /** Bytes of memory that the index takes. */
  readonly indexBytes: number;
  /** Looks for answers that other processes have kept meanwhile. */
  refresh(): void;
}

/**
 * The answers of a folder, which is made where it is missing. Any number of processes may have it
 * open at once.
 *
 * @throws {DataError} when the folder cannot be made or read.
 */
export function openAnswerStore(dir: string, options: AnswerStoreOptions = {}): FileAnswerStore {
  makeFolder(dir);
  const store = new SegmentStore(dir, options);
  store.load();
  return store;
}

interface Segment {
  readonly name: string;
  covered: number;
}

/** The segment that this process writes; it is made with the first answer. */
interface OwnSegment {
  readonly file: Promise<SyncedFile>;
  readonly number: number;
}

const openFiles = 32;

class SegmentStore implements FileAnswerStore {
  readonly dir: string;
  readonly #clock: Clock;
  readonly #refreshMs: number;
  readonly #sideIndexRows: number;
  readonly #gapMs: number | undefined;
  readonly #index = new AnswerIndex();
  readonly #segments: Segment[] = [];
  readonly #numbers = new Map<string, number>();
  /** Answers whose line is not on disk yet. */
  readonly #waiting = new Map<string, StoredAnswer>();
  readonly #handles = new Map<number, Promise<FileHandle>>();
  #own: OwnSegment | null = null;
  #unindexed = 0;
  #nextRefresh = 0;

  constructor(dir: string, options: AnswerStoreOptions) {
    this.dir = dir;
    this.#clock = options.clock ?? systemClock;
    this.#refreshMs = options.refreshMs ?? 500;
    this.#sideIndexRows = options.sideIndexRows ?? 10_000;
    this.#gapMs = options.gapMs;
  }

  get size(): number {
    return this.#index.size;
  }

  get indexBytes(): number {
    return this.#index.byteLength;
  }

  /** Takes the side index, then what the segments have beyond it. */
  load(): void {
    const side = readSideIndex(this.dir);
    if (side !== undefined) this.#takeSide(side);
    this.refresh();
  }

  #takeSide(side: NonNullable<ReturnType<typeof readSideIndex>>): void {
    const sizes = new Map(listSegments(this.dir).map(({ name, size }) => [name, size]));
    const numbers = side.segments.map(({ name, covered }) => {
      const isWhole = (sizes.get(name) ?? -1) >= covered;
      return isWhole ? this.#numberOf(name, covered) : -1;
    });
    side.each((key, place) => {
      const segment = numbers[place.segment] ?? -1;
      if (segment >= 0) this.#index.setKey(key, { ...place, segment });
    });
  }

  #numberOf(name: string, covered = 0): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    if (this.#segments.length > 0xffff) {
      throw new DataError(`${this.dir}: more than 65,536 segments.`, {
        file: this.dir,
        help: 'pack them with "llm cache prune".',
      });
    }
    const number = this.#segments.push({ name, covered }) - 1;
    this.#numbers.set(name, number);
    return number;
  }

  refresh(): void {
    const start = this.#clock.now();
    for (const { name, size } of listSegments(this.dir)) {
      const number = this.#numberOf(name);
      const segment = this.#segments[number];
      if (segment === undefined || number === this.#own?.number) continue;
      if (size < segment.covered) segment.covered = 0; // its last lines did not fit on the disk
      if (size > segment.covered) this.#scan(segment, number);
    }
    const took = this.#clock.now() - start;
    this.#nextRefresh = start + took + Math.max(this.#refreshMs, 20 * took);
  }

  #scan(segment: Segment, number: number): void {
    const path = join(this.dir, segment.name);
    segment.covered = scanSegment(path, segment.covered, (hash, place) => {
      this.#index.set(hash, { segment: number, ...place });
      this.#unindexed += 1;
    });
  }

  has(hash: string): boolean {
    if (this.#waiting.has(hash) || this.#index.rowOf(hash) >= 0) return true;
    if (this.#clock.now() < this.#nextRefresh) return false;
    this.refresh();
    return this.#index.rowOf(hash) >= 0;
  }

  async get(hash: string): Promise<StoredAnswer | undefined> {
    const waiting = this.#waiting.get(hash);
    if (waiting !== undefined) return waiting;
    const found = await this.#read(hash);
    if (found !== undefined) return found;
    // Where it is in the index, another process has packed its segment meanwhile.
    const isLost = this.#index.rowOf(hash) >= 0;
    if (!isLost && this.#clock.now() < this.#nextRefresh) return undefined;
    this.refresh();
    return this.#read(hash);
  }

  async #read(hash: string): Promise<StoredAnswer | undefined> {
    const row = this.#index.rowOf(hash);
    if (row < 0) return undefined;
    const place = this.#index.placeAt(row);
    const bytes = await this.#bytesAt(place);
    if (bytes === undefined) return undefined;
    const name = this.#segments[place.segment]?.name ?? '';
    return answerIn(bytes, hash, name.endsWith('.gz'));
  }

  async #bytesAt({ segment, offset, length }: AnswerPlace): Promise<Buffer | undefined> {
    const bytes = Buffer.allocUnsafe(length);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      try {
        const handle = await this.#handleOf(segment);
        const { bytesRead } = await handle.read(bytes, 0, length, offset);
        return bytesRead === length ? bytes : undefined;
      } catch (error) {
        // Gone: packed by another process. Closed: too many were open meanwhile; open it again.
        if (systemCode(error) !== 'ENOENT' && systemCode(error) !== 'EBADF') throw error;
        this.#handles.delete(segment);
      }
    }
    return undefined;
  }

  /** Few files stay open: a folder may hold thousands of segments. */
  #handleOf(number: number): Promise<FileHandle> {
    const known = this.#handles.get(number);
    if (known !== undefined) return known;
    for (const [oldest, handle] of this.#handles) {
      if (this.#handles.size < openFiles) break;
      this.#handles.delete(oldest);
      void handle.then((it) => it.close()).catch(() => undefined);
    }
    const opened = open(join(this.dir, this.#segments[number]?.name ?? ''), 'r');
    this.#handles.set(number, opened);
    return opened;
  }

  async put(answer: StoredAnswer): Promise<void> {
    const line = answerLine(answer);
    this.#waiting.set(answer.hash, answer);
    try {
      const own = (this.#own ??= this.#openOwn());
      const file = await own.file;
      const offset = await file.append(line);
      const length = Buffer.byteLength(line) - 1;
      this.#index.set(answer.hash, { segment: own.number, offset, length });
      this.#unindexed += 1;
    } finally {
      if (this.#waiting.get(answer.hash) === answer) this.#waiting.delete(answer.hash);
    }
  }

  #openOwn(): OwnSegment {
    const name = newSegmentName();
    const path = join(this.dir, name);
    const file = SyncedFile.open(path, { flags: 'wx', clock: this.#clock, gapMs: this.#gapMs });
    file.catch(() => {
      this.#own = null; // the next answer tries again
    });
    return { file, number: this.#numberOf(name) };
  }

  async *iterate(): AsyncIterable<StoredAnswer> {
    await this.#settleOwn();
    this.refresh();
    for (const [number, { name }] of this.#segments.entries()) {
      for (const { answer, offset } of readAnswers(join(this.dir, name))) {
        // Of doubled answers the one that the index names.
        const row = this.#index.rowOf(answer.hash);
        const place = this.#index.placeAt(row);
        if (row < 0 || (place.segment === number && place.offset === offset)) yield answer;
      }
    }
  }

  async #settleOwn(): Promise<SyncedFile | undefined> {
    const file = await this.#own?.file.catch(() => undefined);
    await file?.settled();
    const own = this.#own === null ? undefined : this.#segments[this.#own.number];
    if (file !== undefined && own !== undefined) own.covered = file.size;
    return file;
  }

  async close(): Promise<void> {
    const file = await this.#settleOwn();
    await file?.close();
    this.#own = null;
    if (this.#unindexed >= this.#sideIndexRows) this.#writeSide();
    const handles = [...this.#handles.values()];
    this.#handles.clear();
    await Promise.all(
      handles.map((handle) =>
        handle.then(
          (it) => it.close(),
          () => undefined,
        ),
      ),
    );
  }

  #writeSide(): void {
    try {
      writeSideIndex(this.dir, this.#index, this.#segments);
      this.#unindexed = 0;
    } catch (error) {
      // Answers are safe without it; only the next opening takes longer.
      if (!(error instanceof Error)) throw error;
    }
  }
}
