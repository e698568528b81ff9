/**
 * Rows of a file of prompts, whatever its form.
 */
import { DataError, eachLine, readBytes } from '@lab/core';
import { readCsv } from '@lab/core/csv';

/** A row: what its columns hold. */
export interface PromptRow {
  readonly fields: Readonly<Record<string, unknown>>;
  /** For messages: `line 7` or `item 3`. */
  readonly place: string;
  readonly line?: number | undefined;
  /** Whether the row is a text alone, which stands under `prompt`. */
  readonly isLine: boolean;
}

type OnRow = (row: PromptRow) => void;

/**
 * Calls `onRow` with one row after the other, in their order.
 *
 * @throws {DataError} where the file is not what the end of its name says.
 */
export async function eachPromptRow(path: string, onRow: OnRow): Promise<void> {
  const name = path.toLowerCase().replace(/\.gz$/, '');
  if (/\.(csv|tsv)$/.test(name)) return eachTableRow(path, onRow);
  if (/\.(jsonl|ndjson)$/.test(name)) return eachJsonLine(path, onRow);
  if (name.endsWith('.json')) return eachItem(path, onRow);
  await eachLine(path, (text, line) => {
    if (text.trim() !== '') onRow(textRow(text, `line ${line}`, line));
  });
}

const textRow = (text: unknown, place: string, line?: number): PromptRow => ({
  ...{ fields: { prompt: text }, place, line, isLine: true },
});

async function eachTableRow(path: string, onRow: OnRow): Promise<void> {
  let names: readonly string[] = [];
  const onHeader = (header: string[]) => {
    names = header;
  };
  await readCsv(path, { header: true, onHeader }, (cells, line) => {
    const fields = Object.fromEntries(names.map((name, at) => [name, cells[at]]));
    onRow({ fields, place: `line ${line}`, line, isLine: false });
  });
}

async function eachJsonLine(path: string, onRow: OnRow): Promise<void> {
  await eachLine(path, (text, line) => {
    if (text.trim() === '') return;
    onRow(valueRow(path, parsed(path, text, line), { place: `line ${line}`, line }));
  });
}

/** Items of a list in a JSON file. */
async function eachItem(path: string, onRow: OnRow): Promise<void> {
  const parts: Uint8Array[] = [];
  for await (const part of readBytes(path)) parts.push(part);
  const text = Buffer.concat(parts)
    .toString('utf8')
    .replace(/^\ufeff/, '');
  const list = parsed(path, text);
  if (!Array.isArray(list)) {
    throw new DataError(`${path}: is no list of prompts.`, {
      file: path,
      help: 'Write ["...", "..."], or [{ "prompt": "..." }].',
    });
  }
  for (const [at, value] of list.entries()) {
    onRow(valueRow(path, value, { place: `item ${at + 1}` }));
  }
}

function parsed(path: string, text: string, line?: number): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const where = line === undefined ? path : `${path} line ${line}`;
    throw new DataError(`${where}: is not JSON (${(cause as Error).message.slice(0, 120)}).`, {
      ...{ file: path, line, cause, help: 'Write a text in quotes, or { "prompt": "..." }.' },
    });
  }
}

function valueRow(path: string, value: unknown, at: Pick<PromptRow, 'line' | 'place'>): PromptRow {
  if (typeof value === 'string') return textRow(value, at.place, at.line);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return { ...at, fields: value as Record<string, unknown>, isLine: false };
  }
  throw new DataError(`${path} ${at.place}: is neither a text nor an object.`, {
    ...{ file: path, line: at.line, help: 'Write a text, or { "prompt": "..." }.' },
  });
}
