/**
 * The beginning of a file, by which its form is told.
 */
import { readBytes } from '@lab/core';

const lookBytes = 1 << 17;

/** The first text of a file, gzip or not. @throws {DataError} when it cannot be read. */
export async function firstText(path: string): Promise<string> {
  let text = '';
  for await (const chunk of readBytes(path)) {
    text += Buffer.from(chunk).toString('utf8');
    if (text.length >= lookBytes) break;
  }
  return text.replace(/^\ufeff/, '');
}

/** Whether a text begins a JSON list. */
export const beginsList = (text: string): boolean => /^\s*\[/.test(text);
