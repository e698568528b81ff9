/**
 * Attention patterns as a file.
 */
import { readFileSync } from 'node:fs';
import { DataError, writeFileAtomic } from '@lab/core';
import { z } from 'zod';
import { patternGrids } from './patterns.js';

/** Name of the file in a run folder. */
export const patternFile = 'patterns.json';

const schema = z.strictObject({
  schemaVersion: z.literal(1),
  kind: z.literal('patterns'),
  model: z.strictObject({ path: z.string(), fingerprint: z.string() }),
  head: z.strictObject({ layer: z.int().min(0), head: z.int().min(0) }),
  grid: z.enum(patternGrids),
  /** Texts of the prompts are not kept: positions alone. */
  patterns: z
    .array(
      z.strictObject({
        name: z.string(),
        prompt: z.string(),
        pattern: z.array(z.array(z.number())),
      }),
    )
    .min(1),
});

/** Patterns of a head on some prompts, with what they were made of. */
export type HeadPatternFile = z.infer<typeof schema>;

/** Writes a file of patterns, whole or not at all. */
export function savePatterns(path: string, file: HeadPatternFile): void {
  writeFileAtomic(path, `${JSON.stringify(file)}\n`);
}

/**
 * Reads a file of patterns.
 *
 * @throws {DataError} for a file that cannot be read, or is none.
 */
export function loadPatterns(path: string): HeadPatternFile {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    const reason =
      cause instanceof z.ZodError
        ? cause.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)[0]
        : String(cause);
    throw new DataError(`${path}: is no file of patterns (${reason}).`, {
      ...{ file: path, cause, help: 'Give patterns.json as "sahara pattern" writes it.' },
    });
  }
}
