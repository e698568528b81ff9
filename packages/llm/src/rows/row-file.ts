/**
 * Rows of a file, as a stream that waits for its reader.
 */
import { isUtf8 } from 'node:buffer';
import { extname } from 'node:path';
import { DataError, readBytes } from '@lab/core';
import { CsvReader, type CsvRecord, delimiterOf } from './csv-records.js';
import type { RunRow } from './row-record.js';

/** A row of a file: its id and whatever fields it has. */
export interface FileRow extends RunRow {
  readonly [field: string]: unknown;
}

/** Settings of {@link readRows}. */
export interface ReadRowsOptions {
  /** Field that names a row; default `id`. */
  readonly idField?: string | undefined;
}

/**
 * The rows of a JSON-lines, CSV or TSV file, gzip or not, one after the other: of a large file only
 * a part is in memory. The first row of a table is its heading.
 *
 * @throws {DataError} with the line for what is no row, for a row without id, and for a file
 *   without rows.
 */
export async function* readRows(
  path: string,
  options: ReadRowsOptions = {},
): AsyncGenerator<FileRow> {
  const { idField = 'id' } = options;
  const kind = extname(path.replace(/\.gz$/i, '')).toLowerCase();
  const rows = kind === '.csv' || kind === '.tsv' ? tableRows(path, kind) : jsonRows(path);
  let count = 0;
  // In blocks up to here: each generator that a row passes costs as much as reading it.
  for await (const block of rows) {
    for (const { value, line, text } of block) {
      count += 1;
      yield withId(value, idField, { path, line, text });
    }
  }
  if (count > 0) return;
  throw new DataError(`${path}: the file has no rows.`, {
    file: path,
    help: 'give a JSON-lines or CSV file with a row for each question.',
  });
}

interface ReadRow {
  readonly value: Record<string, unknown>;
  readonly line: number;
  readonly text: string;
}

interface Place {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

function withId(value: Record<string, unknown>, idField: string, place: Place): FileRow {
  const id = value[idField];
  if (typeof id === 'string' && id !== '')
    return idField === 'id' ? (value as FileRow) : { ...value, id };
  if (typeof id === 'number') return { ...value, id: String(id) };
  const { path: file, line, text } = place;
  throw new DataError(`${file} line ${line}: the row has no ${JSON.stringify(idField)}.`, {
    file,
    line,
    text,
    field: idField,
    help: 'give every row an id of its own, or name the field with --id-field.',
  });
}

async function* jsonRows(path: string): AsyncGenerator<Iterable<ReadRow>> {
  for await (const lines of linesOf(path)) yield parsedRows(path, lines);
}

function* parsedRows(path: string, lines: Iterable<Line>): Generator<ReadRow> {
  for (const { text, line } of lines) {
    if (text.trim() === '') continue;
    yield { value: parseRow(text, { path, line, text }), line, text };
  }
}

function parseRow(text: string, { path: file, line }: Place): Record<string, unknown> {
  const help = 'write one JSON object a line; a table must be named .csv or .tsv.';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const position = /at position (\d+)/.exec(reason)?.[1];
    const column = position === undefined ? {} : { column: Number(position) + 1 };
    const what = `${file} line ${line}: not JSON (${reason.slice(0, 120)}).`;
    throw new DataError(what, { file, line, text, ...column, help, cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new DataError(`${file} line ${line}: not a JSON object.`, { file, line, text, help });
}

async function* tableRows(path: string, kind: '.csv' | '.tsv'): AsyncGenerator<Iterable<ReadRow>> {
  const table = new TableReader(path, kind);
  for await (const lines of linesOf(path)) yield table.rows(lines);
  table.end();
}

/** The rows of a table under its heading. */
class TableReader {
  readonly #path: string;
  readonly #kind: '.csv' | '.tsv';
  #reader: CsvReader | undefined;
  #heading: readonly string[] | undefined;

  constructor(path: string, kind: '.csv' | '.tsv') {
    this.#path = path;
    this.#kind = kind;
  }

  *rows(lines: Iterable<Line>): Generator<ReadRow> {
    for (const { text, line, hasReturn } of lines) {
      const isTabbed = this.#kind === '.tsv';
      this.#reader ??= new CsvReader(this.#path, isTabbed ? '\t' : delimiterOf(text));
      const record = this.#reader.take(text, line, hasReturn ? '\r\n' : '\n');
      if (record === undefined) continue;
      if (this.#heading === undefined) {
        this.#heading = record.fields.map((name) => name.trim());
        continue;
      }
      yield { value: this.#valueOf(record, text), line: record.line, text };
    }
  }

  #valueOf({ fields, line }: CsvRecord, text: string): Record<string, unknown> {
    const heading = this.#heading ?? [];
    if (fields.length !== heading.length) {
      const counts = `${fields.length} fields where the heading has ${heading.length}`;
      throw new DataError(`${this.#path} line ${line}: ${counts}.`, {
        ...{ file: this.#path, line, text },
        help: 'give every row the same number of fields; quote fields that hold the separator.',
      });
    }
    return Object.fromEntries(heading.map((name, index) => [name, fields[index] ?? '']));
  }

  /** @throws {DataError} for a quoted field without end. */
  end(): void {
    this.#reader?.end();
  }
}

interface Line {
  readonly text: string;
  readonly line: number;
  /** Whether a carriage return stood before the line feed. */
  readonly hasReturn: boolean;
}

/** The lines of a text file in blocks, without byte-order mark and line ends. */
async function* linesOf(path: string): AsyncGenerator<Iterable<Line>> {
  const place = { path, line: 0 };
  for await (const block of blocksOf(path)) yield linesIn(block, place);
}

/** The lines of a block; `place` counts them on. */
function* linesIn(block: Buffer, place: { path: string; line: number }): Generator<Line> {
  for (let start = 0; start < block.length; ) {
    const found = block.indexOf(10, start);
    const end = found < 0 ? block.length : found;
    place.line += 1;
    const bytes = block.subarray(start, end);
    if (!isUtf8(bytes) || bytes.includes(0)) throw notText(place.path, place.line);
    const text = bytes.toString('utf8');
    const hasReturn = text.endsWith('\r');
    yield { text: hasReturn ? text.slice(0, -1) : text, line: place.line, hasReturn };
    start = end + 1;
  }
}

/** The bytes in blocks that end at line ends, but for the last. */
async function* blocksOf(path: string): AsyncGenerator<Buffer> {
  let waiting: Uint8Array[] = [];
  let isFirst = true;
  for await (const chunk of readBytes(path)) {
    const hasMark = isFirst && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf;
    const bytes = hasMark ? chunk.subarray(3) : chunk;
    isFirst = false;
    const end = bytes.lastIndexOf(10) + 1;
    if (end > 0) {
      yield Buffer.concat([...waiting, bytes.subarray(0, end)]);
      waiting = [];
    }
    if (end < bytes.length) waiting.push(bytes.subarray(end));
  }
  if (waiting.length > 0) yield Buffer.concat(waiting);
}

function notText(file: string, line: number): DataError {
  return new DataError(`${file} line ${line}: bytes that are not UTF-8 text.`, {
    file,
    line,
    help: 'save the file as UTF-8; it may be damaged or of another kind.',
  });
}
