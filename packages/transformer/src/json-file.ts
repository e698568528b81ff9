/**
 * JSON files of a checkpoint.
 */
import { readFileSync } from 'node:fs';
import { ModelError } from '@lab/core';
import { assertNoLfsPointer } from '@lab/tensor/io';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The object in a JSON file.
 *
 * @throws {ModelError} where it is no JSON in UTF-8, with the place, or no object.
 * @throws {DataError} where git-lfs has not fetched it.
 */
export function readJsonObject(file: string): Record<string, unknown> {
  const bytes = readFileSync(file);
  assertNoLfsPointer(file, bytes.subarray(0, 100));
  let value: unknown;
  let text: string | null = null;
  try {
    text = strict.decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    const why = text === null ? 'no UTF-8' : jsonProblem(text, cause as Error);
    throw new ModelError(`${file}: is not JSON (${why}).`, { cause, help: 'Copy the file again.' });
  }
  if (isJsonObject(value)) return value;
  throw new ModelError(`${file}: is not a JSON object.`, { help: 'Copy the file again.' });
}

/** What is wrong with a text that should be JSON, by line and column. */
function jsonProblem(text: string, { message }: Error): string {
  const [, reason, position] = /^(.*?) in JSON at position (\d+)/s.exec(message) ?? [];
  if (position === undefined) return message.slice(0, 120);
  const lines = text.slice(0, Number(position)).split('\n');
  return `${reason} at line ${lines.length}, column ${lines.at(-1)!.length + 1}`;
}

/** Whether a value of JSON is an object, and no list. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
