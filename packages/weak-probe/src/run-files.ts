/**
 * Files in a run folder: what each verb leaves there for the others and for the page.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, writeFileAtomic } from '@lab/core';

/** Files of results by the verb that writes them. */
export const resultFiles = {
  probes: 'probes.json',
  transfer: 'transfer.json',
  lens: 'lens.json',
  graft: 'graft.json',
  steer: 'steer.json',
  monitor: 'monitor.json',
  positions: 'positions.json',
  dissociation: 'dissociation.json',
} as const;

/** A kind of results. */
export type ResultKind = keyof typeof resultFiles;

/** Prompts of a collection, a JSON line each: id, label, prompt. */
export const promptsFile = 'prompts.jsonl';

/** What probes said of each test row, a JSON line each. */
export const predictionsFile = 'predictions.jsonl';

/** Folder of the states of a collection. */
export const statesFolder = 'states';

/** Version of the files of results. */
const schemaVersion = 1;

/**
 * Writes results into a run folder, whole or not at all, with their kind and version.
 *
 * @returns the path.
 * @throws {DataError} when the disk is full or the folder cannot be written.
 */
export function writeResult(dir: string, kind: ResultKind, value: object): string {
  const path = join(dir, resultFiles[kind]);
  const text = JSON.stringify({ schemaVersion, kind, ...value }, null, 1);
  writeFileAtomic(path, `${text}\n`);
  return path;
}

/**
 * Results of a run folder; null where there are none.
 *
 * @throws {DataError} for a file that is not JSON, or of another version or kind.
 */
export function readResult<T>(dir: string, kind: ResultKind): T | null {
  const path = join(dir, resultFiles[kind]);
  if (!existsSync(path)) return null;
  const value = parsed(path);
  if (value['schemaVersion'] !== schemaVersion || value['kind'] !== kind) {
    const got = `version ${JSON.stringify(value['schemaVersion'])}, kind ${String(value['kind'])}`;
    throw new DataError(`${path}: is ${got}; version ${schemaVersion}, kind ${kind} is read.`, {
      file: path,
      help: `Run the verb that writes it again.`,
    });
  }
  return value as T;
}

/** A JSON object of a file. */
export function parsed(path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
    throw new TypeError('it holds no object');
  } catch (cause) {
    throw new DataError(`${path}: cannot be read (${(cause as Error).message}).`, {
      file: path,
      help: 'The file was changed by hand or damaged; make it again.',
      cause,
    });
  }
}
