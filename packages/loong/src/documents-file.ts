/**
 * Documents of your own: one file `docs.jsonl`, a document a line.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, eachLine, writeFileAtomic } from '@lab/core';
import { z } from 'zod';
import type { LoongDocument } from './library.js';

const documentSchema = z.object({
  name: z.string().min(1),
  type: z.string().optional(),
  title: z.string().optional(),
  text: z.string(),
  facts: z.string().optional(),
  verdict: z.string().optional(),
});

/** The file `docs.jsonl` of a folder, gzip or not; undefined where there is none. */
export function documentsFile(dir: string): string | undefined {
  return ['docs.jsonl', 'docs.jsonl.gz']
    .map((name) => join(dir, name))
    .find((path) => existsSync(path));
}

/**
 * The documents of a file, in its order.
 *
 * @throws {DataError} with the line for what is no document, and for a doubled name.
 */
export async function readDocuments(
  path: string,
): Promise<(LoongDocument & { readonly type?: string | undefined })[]> {
  const seen = new Map<string, number>();
  const documents: (LoongDocument & { readonly type?: string | undefined })[] = [];
  await eachLine(path, (line, number) => {
    if (line.trim() === '') return;
    const parsed = documentSchema.safeParse(parsedOrNull(line));
    if (!parsed.success) {
      const what = parsed.error.issues[0]?.message ?? 'no document';
      throw new DataError(`${path} line ${number}: no document (${what}).`, {
        file: path,
        line: number,
        help: 'a line is {"name": "...", "title": "...", "text": "..."}.',
      });
    }
    const { name, title = name, text, ...others } = parsed.data;
    const first = seen.get(name);
    if (first !== undefined) {
      throw new DataError(`${path} line ${number}: "${name}" stands in line ${first} already.`, {
        file: path,
        line: number,
        help: 'give every document a name of its own.',
      });
    }
    seen.set(name, number);
    documents.push({ name, title, text, ...others });
  });
  return documents;
}

function parsedOrNull(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null; // said as a line that is no document
  }
}

/** Writes documents as `docs.jsonl`. */
export function writeDocuments(
  path: string,
  documents: Iterable<LoongDocument & { readonly type?: string | undefined }>,
): void {
  const lines = Array.from(documents, (document) => `${JSON.stringify(document)}\n`);
  writeFileAtomic(path, lines);
}
