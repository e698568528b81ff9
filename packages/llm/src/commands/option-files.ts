/** Files that flags name. */
import { DataError } from '@lab/core';
import { z } from 'zod';
import { readText } from '../text-file.js';

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
