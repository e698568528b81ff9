/** Files that flags name. */
import { existsSync, readFileSync } from 'node:fs';
import { DataError } from '@lab/core';
import { z } from 'zod';
import { systemCode } from '../disk-problem.js';

/**
 * The text of a file.
 *
 * @param what - as errors call it, e.g. `the schema`.
 * @throws {DataError} when it cannot be read.
 */
export function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (systemCode(cause) === '') throw cause;
    const why = existsSync(file) ? 'no permission, or a folder' : 'no such file';
    throw new DataError(`cannot read ${what} in ${file}: ${why}.`, { file, cause });
  }
}

/** The key in a file, else that of the environment. */
export function apiKeyOf(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (file === undefined) return env['LAB_API_KEY'] ?? env['OPENAI_API_KEY'];
  return readText(file, 'the key').trim();
}

/**
 * The schema that a text describes.
 *
 * @param file - names it in errors.
 * @throws {DataError} when it is no JSON Schema that can be used.
 */
export function parseSchema(text: string, file: string): z.ZodType {
  try {
    return z.fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0]);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`${file}: no JSON schema that can be used (${why}).`, {
      file,
      help: 'give a JSON Schema of draft 2020-12, 7 or 4.',
      cause,
    });
  }
}
