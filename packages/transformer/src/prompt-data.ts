/**
 * Prompts from the files in which the field keeps them.
 */
import {
  ConfigError,
  DataError,
  formatCount,
  type FileRecord,
  hashFile,
  nearest,
  sha256,
  canonicalJson,
} from '@lab/core';
import { keptPrompts } from './prompt-duplicates.js';
import { eachPromptRow, type PromptRow } from './prompt-rows.js';

/** One prompt of a data set. */
export interface PromptRecord {
  /** Its own id where the file has one, else its number from 1. */
  readonly id: string;
  readonly prompt: string;
  readonly category?: string | undefined;
  /** The begin of an answer that complies, as AdvBench has it. */
  readonly target?: string | undefined;
  /** Where the prompt comes from. */
  readonly source?: string | undefined;
  readonly label?: string | undefined;
  /** The part of a data set it belongs to, such as `held-out`. */
  readonly split?: string | undefined;
  /** The answer that is right. */
  readonly response?: string | undefined;
}

/** What a file of prompts holds. */
export interface PromptData {
  readonly file: FileRecord;
  /** The column that was read; null where lines are prompts. */
  readonly column: string | null;
  readonly records: readonly PromptRecord[];
  /** Prompts in the file. */
  readonly rowCount: number;
  /** Prompts left out because an earlier one is the same, or nearly. */
  readonly duplicateCount: number;
  /** Of the prompts that are used, in their order, with their ids. */
  readonly sha256: string;
}

/** Which prompts {@link readPromptData} takes. */
export interface PromptDataOptions {
  /** Column of the prompts; default the first of those that data sets use. */
  readonly column?: string | undefined;
  /** So many from the begin, after duplicates are left out; default all. */
  readonly limit?: number | undefined;
  /**
   * Leaves out prompts that were there before: `true` for the same words whatever case, spaces and
   * punctuation; `near` also for those whose words are the same to 80 % (Jaccard). Default false.
   */
  readonly deduplicate?: boolean | 'near' | undefined;
}

/** Columns of prompts, those of a file's main text first. */
const promptColumns = [
  ...['goal', 'prompt', 'forbidden_prompt', 'instruction', 'input', 'behavior', 'query', 'text'],
];

/** Columns of the other fields of a record. */
const fieldColumns = {
  id: ['id', 'behaviorid', 'index'],
  category: ['category', 'semanticcategory', 'functionalcategory', 'type'],
  target: ['target'],
  source: ['source'],
  label: ['label'],
  split: ['split'],
  response: ['response'],
} as const;

/**
 * The prompts of a file: CSV or TSV with a heading, JSON lines, a JSON list, or a prompt a line;
 * packed by gzip or not.
 *
 * Columns are found whatever their case: `goal`, `prompt`, `forbidden_prompt`, `instruction`,
 * `input`, `behavior`, `query` or `text`, the first of these that is there. An `instruction` goes
 * with the `input` of its row behind it, where there is one; a `behavior` of HarmBench with its
 * `ContextString` before it.
 *
 * @throws {DataError} for a file without prompts or without such a column (with the columns that it
 *   has), a blank prompt, one that is no text, and an id that stands twice: with row and column.
 */
export async function readPromptData(
  path: string,
  { column, limit, deduplicate = false }: PromptDataOptions = {},
): Promise<PromptData> {
  const records: PromptRecord[] = [];
  const rowOfId = new Map<string, string>();
  let found: string | null = null;
  await eachPromptRow(path, (row) => {
    found ??= row.isLine ? null : chosenColumn(path, row, column);
    const record = recordOf(path, row, { column: found, number: records.length + 1 });
    const before = rowOfId.get(record.id);
    if (before !== undefined) {
      throw new DataError(`${path} ${row.place}: the id ${record.id} is that of ${before}, too.`, {
        ...{ file: path, line: row.line, field: 'id', help: 'Give every prompt its own id.' },
      });
    }
    rowOfId.set(record.id, row.place);
    records.push(record);
  });
  if (records.length === 0) {
    throw new DataError(`${path}: has no prompts.`, {
      ...{ file: path, help: 'Write one a line, or a table with a column "prompt".' },
    });
  }
  const kept = deduplicate === false ? records : keptPrompts(records, deduplicate === 'near');
  const used = limit === undefined ? kept : kept.slice(0, checkedLimit(limit));
  return {
    file: await hashFile(path),
    column: found,
    records: used,
    rowCount: records.length,
    duplicateCount: records.length - kept.length,
    sha256: promptsHash(used),
  };
}

/** SHA-256 of prompts with their ids, in their order: says whether two runs had the same. */
export const promptsHash = (records: readonly PromptRecord[]): string =>
  sha256(canonicalJson(records.map(({ id, prompt }) => [id, prompt])));

function checkedLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1) return limit;
  throw new ConfigError(`transformer/prompts: a limit of ${limit} prompts.`, {
    help: 'Give a whole number from 1.',
  });
}

/** The name in the file of the column of prompts. */
function chosenColumn(path: string, { fields }: PromptRow, column: string | undefined): string {
  const names = Object.keys(fields);
  const wanted = column === undefined ? promptColumns : [column.toLowerCase()];
  for (const name of wanted) {
    const own = names.find((one) => one.trim().toLowerCase() === name);
    if (own !== undefined) return own;
  }
  const listed = names.slice(0, 20).join(', ');
  const like = column === undefined ? undefined : nearest(column, names);
  const what =
    column === undefined
      ? 'has none of the columns that prompts stand in'
      : `has no column ${column}${like === undefined ? '' : `; near: ${like}`}`;
  throw new DataError(`${path}: ${what}. It has ${names.length}: ${listed}.`, {
    ...{ file: path, field: column },
    help: `Name the column of the prompts; without a name it is ${promptColumns.join(', ')}.`,
  });
}

function recordOf(
  path: string,
  row: PromptRow,
  { column, number }: { readonly column: string | null; readonly number: number },
): PromptRecord {
  const own = column ?? 'prompt';
  const prompt = promptOf(path, row, own);
  const values: Record<string, string> = {};
  for (const [name, columns] of Object.entries(fieldColumns)) {
    const value = fieldOf(row, columns, own);
    if (value !== undefined) values[name] = value;
  }
  return { ...values, id: values['id'] ?? String(number), prompt };
}

/** The text of a prompt, with what belongs to it in other columns. */
function promptOf(path: string, row: PromptRow, column: string): string {
  const value = row.fields[column];
  if (typeof value !== 'string') {
    const got = value === undefined ? 'is missing' : `is ${kindOf(value)}, no text`;
    throw badCell(path, row, column, got);
  }
  if (value.trim() === '') throw badCell(path, row, column, 'is blank');
  const name = column.toLowerCase();
  const input = name === 'instruction' ? fieldOf(row, ['input'], column) : undefined;
  if (input !== undefined) return `${value}\n\n${input}`;
  const context = name === 'behavior' ? fieldOf(row, ['contextstring'], column) : undefined;
  return context === undefined ? value : `${context}\n\n---\n\n${value}`;
}

const kindOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
};

function badCell(path: string, row: PromptRow, column: string, what: string): DataError {
  return new DataError(`${path} ${row.place}, column ${column}: the prompt ${what}.`, {
    ...{ file: path, line: row.line, field: column },
    help: 'Write a prompt there, or leave the row out.',
  });
}

/** A cell of the first of these columns that has something in it. */
function fieldOf(
  { fields }: PromptRow,
  columns: readonly string[],
  promptColumn: string,
): string | undefined {
  for (const column of columns) {
    for (const [name, value] of Object.entries(fields)) {
      if (name === promptColumn || name.trim().toLowerCase() !== column) continue;
      const isNamed = typeof value === 'string' || typeof value === 'number';
      if (isNamed && String(value).trim() !== '') return String(value);
    }
  }
  return undefined;
}

/** What a data set is in words, for the begin of a run: `98 of 100 prompts, 2 duplicates`. */
export function promptCounts({ records, rowCount, duplicateCount }: PromptData): string {
  const own =
    records.length === rowCount
      ? formatCount(rowCount)
      : `${formatCount(records.length)} of ${formatCount(rowCount)}`;
  const left = duplicateCount === 0 ? '' : `, ${formatCount(duplicateCount)} duplicates left out`;
  return `${own} prompts${left}`;
}
