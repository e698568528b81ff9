import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { writeProblem } from './atomic-file.js';
import { ConfigError } from './errors.js';
import { systemCode } from './file-problem.js';

/** Name of the file that says which process writes to a run folder. */
export const lockName = 'lock';

/** A run folder held by this process. */
export interface RunLock {
  /** Removes the lock file, unless another process has taken the folder over. */
  release(): void;
}

/** The content of a lock file. */
interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, in the words of its system, where it says so: pids come again. */
  readonly born: string | null;
  /** When it took the folder, ISO 8601, UTC. */
  readonly since: string;
}

/** A lock without a holder is being written; after this time its writer was killed instead. */
const writingMs = 2000;

/** Lock files of this process, to be removed when it ends. */
const held = new Map<string, string>();

/**
 * Takes a run folder for this process: a file `lock` says who writes there. The lock of a process
 * that is no longer there (killed) is taken over, and so is one of this same process.
 *
 * The file goes when the lock is released or the process ends; only a kill leaves it.
 *
 * @param dir - an existing folder.
 * @param now - clock.
 * @throws {ConfigError} when another process holds the folder.
 * @throws {DataError} when the lock cannot be written.
 */
export function lockRun(dir: string, now: () => Date): RunLock {
  const path = join(dir, lockName);
  const self: LockHolder = {
    pid: process.pid,
    host: hostname(),
    born: birthOf(process.pid),
    since: now().toISOString(),
  };
  const text = `${JSON.stringify(self)}\n`;
  while (!writeLock(path, text)) takeOver(path, self, now());
  // One listener, however many runs a process makes one after the other.
  if (!process.listeners('exit').includes(releaseAll)) process.once('exit', releaseAll);
  held.set(path, text);
  return { release: () => release(path, text) };
}

/** Whether the lock was written; false where there is one already. */
function writeLock(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    if (systemCode(error) === 'ENOSPC') rmSync(path, { force: true }); // half of it was written
    throw writeProblem(path, error);
  }
}

/** Moves a lock out of the way whose process is gone; refuses any other. */
function takeOver(path: string, self: LockHolder, time: Date): void {
  const text = readIfThere(path);
  if (text === undefined) return;
  const holder = parseHolder(text);
  const isHeld = holder === null ? isBeingWritten(path, time) : isAlive(holder, self);
  if (isHeld) throw inUse(path, holder);
  const aside = `${path}.${process.pid}`;
  if (!moved(path, aside)) return;
  // Of two processes that find the same dead lock, the second could have moved the first one's.
  if (readIfThere(aside) === text) rmSync(aside);
  else moved(aside, path);
}

/** Renames a file; false when another process was faster. */
function moved(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw writeProblem(from, error);
    return false;
  }
}

function inUse(path: string, holder: LockHolder | null): ConfigError {
  const dir = path.slice(0, -lockName.length - 1);
  const who =
    holder === null
      ? 'another process'
      : `process ${holder.pid} on ${holder.host}, since ${holder.since}`;
  return new ConfigError(`${dir}: the run is in use by ${who}.`, {
    help: `wait until that process ends; if there is no such process any more, delete ${path}.`,
    details: { run: dir, ...holder },
  });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return undefined;
  }
}

function parseHolder(text: string): LockHolder | null {
  try {
    const value = JSON.parse(text) as LockHolder;
    return typeof value.pid === 'number' && typeof value.host === 'string' ? value : null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}

function isBeingWritten(path: string, time: Date): boolean {
  const written = statSync(path, { throwIfNoEntry: false });
  return written !== undefined && time.getTime() - written.mtimeMs < writingMs;
}

/** Whether the holder is another process that may still write; on other machines nobody knows. */
function isAlive(holder: LockHolder, self: LockHolder): boolean {
  if (holder.host !== self.host) return true;
  if (holder.pid === self.pid) return false; // this process, or an older one of its number
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false;
  }
  const born = birthOf(holder.pid);
  return born !== 'dead' && (born === null || holder.born === null || born === holder.born);
}

/** When a process started; null where the system does not say, `dead` for one that only waits. */
function birthOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // from the third field on
    if (fields[0] === 'Z' || fields[0] === 'X') return 'dead';
    return fields[19] ?? null;
  } catch (error) {
    if (systemCode(error) === '') throw error;
    return null;
  }
}

function release(path: string, text: string): void {
  if (held.get(path) !== text) return;
  held.delete(path);
  if (readIfThere(path) === text) rmSync(path, { force: true });
}

function releaseAll(): void {
  for (const [path, text] of held) release(path, text);
}
