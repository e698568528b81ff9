/**
 * Lists of objects in JSON files, plain or gzip.
 */
import { DataError, readBytes } from '@lab/core';

/** An object read from a file. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The objects of a JSON file that holds a list of them.
 *
 * @throws {DataError} when it cannot be read or holds anything else.
 */
export async function readJsonList(path: string): Promise<JsonObject[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBytes(path)) chunks.push(chunk);
  let value: unknown;
  try {
    value = JSON.parse(
      Buffer.concat(chunks)
        .toString('utf8')
        .replace(/^\ufeff/, ''),
    );
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 120) : String(cause);
    throw new DataError(`${path}: not JSON (${reason}).`, { file: path, cause });
  }
  if (Array.isArray(value) && value.every(isObject)) return value;
  throw new DataError(`${path}: the file holds no list of objects.`, {
    file: path,
    help: 'the file must be a JSON list with an object for each pair.',
  });
}

/** Whether a value is an object and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The text in a field.
 *
 * @throws {DataError} when it is missing or no text, with the number of the object.
 */
export function textField(object: JsonObject, field: string, place: ItemPlace): string {
  const value = object[field];
  if (typeof value === 'string') return value;
  const what = value === undefined ? 'is missing' : `is ${JSON.stringify(value).slice(0, 40)}`;
  throw new DataError(`${place.file} ${place.unit ?? 'item'} ${place.line}: ${field} ${what}.`, {
    file: place.file,
    line: place.line,
    field,
    text: place.text,
    help: `each pair needs a text in "${field}".`,
  });
}

/** An object of a file: its number from 1, a line where it has one. */
export interface ItemPlace {
  readonly file: string;
  readonly line: number;
  readonly unit?: 'item' | 'line';
  readonly text?: string | undefined;
}
