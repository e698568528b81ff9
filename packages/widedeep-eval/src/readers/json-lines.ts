/**
 * Objects of a JSON-lines file with their lines, plain or gzip.
 */
import { DataError, eachLine, type OnDefect, reportDefect } from '@lab/core';
import { isObject, type ItemPlace, type JsonObject } from './json-file.js';

/**
 * Calls `onObject` with each line of a file; blank lines are left out. Defects of a line, those
 * that `onObject` throws included, go to `onDefect`.
 *
 * @throws {DataError} when the file cannot be read.
 */
export async function eachObject(
  file: string,
  onDefect: OnDefect,
  onObject: (object: JsonObject, place: ItemPlace) => void,
): Promise<void> {
  await eachLine(
    file,
    (text, line) => {
      if (text.trim() === '') return;
      const place: ItemPlace = { file, line, unit: 'line', text };
      reportDefect(onDefect, () => onObject(parseObject(text, place), place));
    },
    { onDefect },
  );
}

function parseObject(text: string, { file, line }: ItemPlace): JsonObject {
  try {
    const value = JSON.parse(text) as unknown;
    if (isObject(value)) return value;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 120) : String(cause);
    const help = 'write one JSON object on each line.';
    throw new DataError(`${file} line ${line}: not JSON (${reason}).`, { file, line, text, help });
  }
  throw new DataError(`${file} line ${line}: not a JSON object.`, { file, line, text });
}
