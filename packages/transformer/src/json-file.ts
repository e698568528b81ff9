/**
 * JSON files of a checkpoint.
 */
import { readFileSync } from 'node:fs';
import { ModelError } from '@lab/core';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The object in a JSON file.
 *
 * @throws {ModelError} where it is no JSON in UTF-8, or something else than an object.
 */
export function readJsonObject(file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(strict.decode(readFileSync(file)));
  } catch (cause) {
    throw new ModelError(`${file}: is not JSON.`, { cause, help: 'Copy the file again.' });
  }
  if (isJsonObject(value)) return value;
  throw new ModelError(`${file}: is not a JSON object.`, { help: 'Copy the file again.' });
}

/** Whether a value of JSON is an object, and no list. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
