/**
 * Appending lines so that many share one flush to the disk.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { type Clock, systemClock } from './clock.js';
import { diskProblem } from './disk-problem.js';

/** Settings of {@link SyncedFile.open}. */
export interface SyncedFileOptions {
  /** Default `a`: append to what is there. `wx`: the file must be new. */
  readonly flags?: 'a' | 'wx' | undefined;
  /** Whether each group of lines is flushed to the disk before it counts; default true. */
  readonly isSynced?: boolean | undefined;
  /**
   * Milliseconds between the end of a flush and the next while lines keep coming, default 5. The
   * first line after a pause is flushed at once.
   */
  readonly gapMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** Memory for the bytes of a group is kept up to this size. */
const KEPT_BYTES = 2 ** 20;

/** Lines that are written and flushed together. */
class Group {
  readonly texts: string[] = [];
  bytes = 0;
  readonly written: Promise<number>;
  resolve: (start: number) => void = () => undefined;
  reject: (error: Error) => void = () => undefined;

  constructor() {
    this.written = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Nobody may be waiting for this group: whoever is gets the same error.
    this.written.catch(() => undefined);
  }
}

/**
 * A file that grows by whole lines. A line counts once its promise resolves; a full disk rejects
 * the lines of one group, cuts off what was written of them, and leaves the others as they are.
 */
export class SyncedFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #isSynced: boolean;
  readonly #gapMs: number;
  readonly #clock: Clock;
  #size: number;
  #group = new Group();
  #memory = Buffer.alloc(0);
  #loop: Promise<void> | null = null;
  #isClosed = false;
  #flushedAt = Number.NEGATIVE_INFINITY;
  /** Aborted by closing: the last lines wait for nothing. */
  readonly #hurry = new AbortController();

  private constructor(
    handle: FileHandle,
    place: { path: string; size: number },
    options: SyncedFileOptions,
  ) {
    this.path = place.path;
    this.#handle = handle;
    this.#size = place.size;
    this.#isSynced = options.isSynced ?? true;
    this.#gapMs = options.gapMs ?? 5;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * A file ready to grow.
   *
   * @throws {DataError} when it cannot be opened.
   */
  static async open(path: string, options: SyncedFileOptions = {}): Promise<SyncedFile> {
    try {
      const handle = await open(path, options.flags ?? 'a');
      return new SyncedFile(handle, { path, size: (await handle.stat()).size }, options);
    } catch (cause) {
      throw diskProblem(path, cause);
    }
  }

  /** Bytes of the lines that count. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of the lines that wait for their flush. */
  get waitingBytes(): number {
    return this.#group.bytes;
  }

  /**
   * Appends whole lines, line feeds included; resolves to their offset once they count.
   *
   * @throws {DataError} when the disk is full or the file cannot be written.
   */
  append(text: string): Promise<number> {
    if (this.#isClosed) return Promise.reject(diskProblem(this.path, new Error('it is closed')));
    const group = this.#group;
    const offset = group.bytes;
    group.texts.push(text);
    group.bytes += Buffer.byteLength(text);
    this.#loop ??= this.#flushGroups();
    return group.written.then((start) => start + offset);
  }

  /** Resolves once all lines so far count or were rejected. */
  async settled(): Promise<void> {
    while (this.#loop !== null) await this.#loop;
  }

  /** Closes the file after its last lines. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#hurry.abort();
    await this.settled();
    await this.#handle.close();
  }

  async #flushGroups(): Promise<void> {
    while (this.#group.texts.length > 0) {
      await this.#pause();
      const group = this.#group;
      this.#group = new Group();
      await this.#flush(group);
      this.#flushedAt = this.#clock.now();
    }
    this.#loop = null;
  }

  /** Waits for more lines: those of this turn of the event loop, or of the gap since the last. */
  async #pause(): Promise<void> {
    const waitMs = this.#isClosed ? 0 : this.#flushedAt + this.#gapMs - this.#clock.now();
    if (waitMs <= 0) {
      await new Promise((resolve) => setImmediate(resolve));
      return;
    }
    // Rejects when the file is being closed.
    await this.#clock.sleep(waitMs, this.#hurry.signal).catch(() => undefined);
  }

  async #flush(group: Group): Promise<void> {
    const start = this.#size;
    try {
      await this.#write(this.#bytesOf(group));
      if (this.#isSynced) await this.#handle.datasync();
      this.#size = start + group.bytes;
      group.resolve(start);
    } catch (cause) {
      await this.#handle.truncate(start).catch(() => undefined);
      group.reject(diskProblem(this.path, cause));
    }
  }

  /** In the same memory as those of the group before, which are written. */
  #bytesOf({ texts, bytes }: Group): Buffer {
    if (bytes > KEPT_BYTES) return Buffer.from(texts.join(''));
    if (bytes > this.#memory.length) this.#memory = Buffer.allocUnsafe(2 * bytes);
    let end = 0;
    for (const text of texts) end += this.#memory.write(text, end);
    return this.#memory.subarray(0, end);
  }

  async #write(bytes: Buffer): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, null);
      done += bytesWritten;
    }
  }
}
