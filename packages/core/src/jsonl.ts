import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { appendLine, sizeOfWholeLines } from './atomic-file.js';
import { DataError, LabError } from './errors.js';
import { describeFileProblem } from './file-problem.js';

/** The rows of a JSON-lines file; `torn` says that an unfinished last line was left out. */
export interface JsonLines {
  readonly rows: unknown[];
  readonly torn: boolean;
}

/**
 * Appends one value as one line of JSON; a torn last line is cut off first.
 *
 * @throws {LabError} `LAB_JSON` when the value has no JSON form or holds NaN or an infinity.
 * @throws {DataError} when the disk is full.
 */
export function appendJsonLine(path: string, value: unknown): void {
  appendLine(path, jsonLine(value));
}

/**
 * One line of JSON, without line feed; keys keep their order.
 *
 * @throws {LabError} `LAB_JSON` when the value has no JSON form or holds NaN or an infinity.
 */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value, (key, item: unknown) => {
    if (typeof item === 'number' && !Number.isFinite(item)) {
      const where = key === '' ? 'the value' : `"${key}"`;
      throw new LabError(`core/jsonl: ${where} is ${item}, which JSON cannot hold.`, {
        code: 'LAB_JSON',
        help: 'write null where there is no number.',
      });
    }
    return item;
  }) as string | undefined;
  if (text === undefined) {
    throw new LabError(`core/jsonl: a ${typeof value} has no JSON form.`, { code: 'LAB_JSON' });
  }
  return text;
}

/**
 * The rows of a JSON-lines file, empty when the file is absent. Blank lines are skipped; an
 * unfinished last line, as a kill or a full disk leaves it, is left out and reported by `torn`.
 *
 * @throws {DataError} with line and column for any other line that is not JSON.
 */
export function readJsonLines(path: string): JsonLines {
  if (!existsSync(path)) return { rows: [], torn: false };
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new DataError(describeFileProblem(path, cause), { file: path, cause });
  }
  return parseJsonLines(text, path);
}

function parseJsonLines(text: string, path: string): JsonLines {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  const rows: unknown[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() !== '') rows.push(parseLine(line, path, index + 1));
  }
  if (last.trim() === '') return { rows, torn: false };
  return { rows, torn: true };
}

function parseLine(text: string, path: string, line: number): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const position = /at position (\d+)/.exec(reason)?.[1];
    throw new DataError(`${path} line ${line}: not JSON (${reason.slice(0, 120)}).`, {
      file: path,
      line,
      text,
      ...(position === undefined ? {} : { column: Number(position) + 1 }),
      help: 'the file was changed by hand or damaged; remove the line or the file.',
      cause,
    });
  }
}

/** Cuts off an unfinished last line of a file; returns whether there was one. */
export function cutTornLine(path: string): boolean {
  if (!existsSync(path)) return false;
  const file = openSync(path, 'r+');
  try {
    const size = fstatSync(file).size;
    const whole = sizeOfWholeLines(file, size);
    if (whole < size) ftruncateSync(file, whole);
    return whole < size;
  } finally {
    closeSync(file);
  }
}
