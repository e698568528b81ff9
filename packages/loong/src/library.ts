/**
 * The user's copy of the documents.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DataError } from '@lab/core';
import { documentsFile, readDocuments } from './documents-file.js';
import type { LoongRecord } from './record.js';

/** A document as it is put into a prompt. */
export interface LoongDocument {
  /** As records name it. */
  readonly name: string;
  /** The line that heads it. */
  readonly title: string;
  readonly text: string;
  /** Court judgments alone: facts and verdict apart; `text` is both. */
  readonly facts?: string | undefined;
  readonly verdict?: string | undefined;
}

/** Documents by what records call them. */
export interface DocumentLibrary {
  /** Folder of the documents. */
  readonly dir: string;
  /** The document that a record names; undefined where it is missing. */
  find(record: Pick<LoongRecord, 'level' | 'type'>, name: string): LoongDocument | undefined;
  /** Where the file of a missing document belongs, e.g. `paper/2401.02385.md`. */
  placeOf(record: Pick<LoongRecord, 'level' | 'type'>, name: string): string;
}

/** A document that is not there. */
export interface MissingDocument {
  readonly type: string;
  readonly name: string;
  /** Where its file belongs. */
  readonly place: string;
  /** Records that need it. */
  readonly records: number;
}

const layoutHelp =
  'expected are financial/*2024-NAME.txt (reports of several years: financial/*NAME.txt), ' +
  'paper/ARXIV-ID.md and legal/legal.json, or one file docs.jsonl; e.g. ' +
  'financial/2024-AUDDIA INC..txt, paper/2402.01739.md.';

/**
 * Opens a folder of documents: that of the benchmark's authors (`financial/`, `paper/`, `legal/`),
 * or one with a file `docs.jsonl`, as `loong build` writes it. Texts are read when asked for.
 *
 * @throws {DataError} when the folder is neither, with the layout that is expected.
 */
export async function openLibrary(dir: string): Promise<DocumentLibrary> {
  const single = documentsFile(dir);
  if (single !== undefined) return namedLibrary(dir, await readDocuments(single));
  const folders = ['financial', 'paper', 'legal'].filter((name) => existsSync(join(dir, name)));
  if (folders.length > 0) return new AuthorsLibrary(dir);
  const what = existsSync(dir) ? 'has none of the folders and files of documents' : 'is not there';
  throw new DataError(`${dir}: the folder ${what}.`, { file: dir, help: layoutHelp });
}

/** A library of documents in memory, by name and domain. */
export function namedLibrary(
  dir: string,
  documents: readonly (LoongDocument & { readonly type?: string | undefined })[],
): DocumentLibrary {
  const byName = new Map<string, LoongDocument>();
  for (const document of documents) byName.set(document.name, document);
  return {
    dir,
    find: (_, name) => byName.get(name),
    placeOf: (_, name) => `docs.jsonl, a line with "name": ${JSON.stringify(name)}`,
  };
}

/** The folder as the benchmark's authors pack it. */
class AuthorsLibrary implements DocumentLibrary {
  readonly dir: string;
  readonly #names = new Map<string, readonly string[]>();
  readonly #read = new Map<string, LoongDocument>();
  #legal: Readonly<Record<string, { content?: unknown; result?: unknown }>> | undefined;

  constructor(dir: string) {
    this.dir = dir;
  }

  find(record: Pick<LoongRecord, 'level' | 'type'>, name: string): LoongDocument | undefined {
    if (record.type === 'legal') return this.#judgment(name);
    const file = this.#fileOf(record, name);
    if (file === undefined) return undefined;
    const path = join(this.dir, record.type, file);
    const known = this.#read.get(path);
    if (known !== undefined) return { ...known, name };
    const text = readFileSync(path, 'utf8');
    const document =
      record.type === 'paper'
        ? { name, title: firstTitle(text), text }
        : { name, title: financialTitle(file), text };
    this.#read.set(path, document);
    return document;
  }

  placeOf({ level, type }: Pick<LoongRecord, 'level' | 'type'>, name: string): string {
    if (type === 'legal') return `legal/legal.json, key ${JSON.stringify(name)}`;
    if (type === 'paper') return `paper/${name}`;
    return level === 4 ? `financial/*${name}*.txt` : `financial/*2024-${name}*.txt`;
  }

  /**
   * Deviation: of several files with the name the one that ends with it is taken, then the shortest
   * name, then the first by letters; the released code takes the first of an unsorted list, so that
   * a name that begins another can get its file.
   */
  #fileOf({ level, type }: Pick<LoongRecord, 'level' | 'type'>, name: string): string | undefined {
    const names = this.#listed(type);
    if (type === 'paper') return names.includes(name) ? name : undefined;
    const wanted = level === 4 ? name : `2024-${name}`;
    const found = names.filter((file) => file.endsWith('.txt') && file.includes(wanted));
    const rank = (file: string) =>
      (file === `${wanted}.txt` ? 0 : file.endsWith(`${wanted}.txt`) ? 1 : 2) * 1e6 + file.length;
    return found.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))[0];
  }

  #listed(type: string): readonly string[] {
    const known = this.#names.get(type);
    if (known !== undefined) return known;
    const folder = join(this.dir, type);
    const names = existsSync(folder) ? readdirSync(folder).sort() : [];
    this.#names.set(type, names);
    return names;
  }

  #judgment(name: string): LoongDocument | undefined {
    this.#legal ??= readLegal(join(this.dir, 'legal', 'legal.json'));
    const found = Object.hasOwn(this.#legal, name) ? this.#legal[name] : undefined;
    if (found === undefined) return undefined;
    const [facts, verdict] = [String(found.content ?? ''), String(found.result ?? '')];
    return { name, title: name, text: facts + verdict, facts, verdict };
  }
}

function readLegal(path: string): Record<string, { content?: unknown; result?: unknown }> {
  if (!existsSync(path)) return {};
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, { content?: unknown; result?: unknown }>;
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`${path}: not JSON (${reason.slice(0, 120)}).`, { file: path, cause });
  }
  throw new DataError(`${path}: an object of documents by name is expected.`, {
    file: path,
    help: 'each entry is {"content": "facts", "result": "verdict"}.',
  });
}

/** The part of the file's name behind the last hyphen. */
function financialTitle(file: string): string {
  return basename(file, '.txt').split('-').at(-1) ?? file;
}

/** The first line without its mark of a heading. */
function firstTitle(text: string): string {
  const end = text.indexOf('\n');
  return (end < 0 ? text : text.slice(0, end)).replaceAll('#', '').trim();
}

/**
 * The documents that records name and the library lacks, each once, in the order of their first
 * record.
 */
export function missingDocuments(
  records: readonly LoongRecord[],
  library: DocumentLibrary,
): MissingDocument[] {
  const missing = new Map<
    string,
    { -readonly [key in keyof MissingDocument]: MissingDocument[key] }
  >();
  const present = new Set<string>();
  for (const record of records) {
    for (const name of new Set(record.doc)) {
      const place = library.placeOf(record, name);
      if (present.has(place)) continue;
      const known = missing.get(place);
      if (known !== undefined) known.records += 1;
      else if (library.find(record, name) !== undefined) present.add(place);
      else missing.set(place, { type: record.type, name, place, records: 1 });
    }
  }
  return [...missing.values()];
}

/** The error that says which documents are missing, and where they belong. */
export function missingError(dir: string, missing: readonly MissingDocument[]): DataError {
  const shown = missing.slice(0, 20).map(({ place }) => `  ${place}`);
  const more = missing.length > shown.length ? [`  and ${missing.length - shown.length} more`] : [];
  const count = missing.length === 1 ? 'a document is' : `${missing.length} documents are`;
  return new DataError(`${dir}: ${count} missing:\n${[...shown, ...more].join('\n')}`, {
    file: dir,
    help: 'put the files there, or leave out their questions with --skip-missing-docs.',
    details: { missing: missing.map(({ place }) => place) },
  });
}
