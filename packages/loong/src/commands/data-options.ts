/** The flags that say which questions are asked, and where their documents are. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError, readRunRecord } from '@lab/core';
import type { CliOption } from '@lab/core/cli';
import { countOf, type FlagValues, textOf } from '@lab/llm/commands';
import { documentsFile } from '../documents-file.js';
import { type DocumentLibrary, missingDocuments, missingError, openLibrary } from '../library.js';
import { type LoongRecord, readRecords } from '../record.js';
import { type Selection, selectRecords } from '../select.js';

const topic = 'questions';

/** Flags of files. */
export const fileOptions: readonly CliOption[] = [
  { flags: '--data <file>', summary: 'questions: loong.jsonl, or what "loong build" wrote', topic },
  {
    flags: '--docs <dir>',
    summary: 'folder of the documents; default that of the questions where it holds docs.jsonl',
    topic,
  },
  { flags: '--dedupe', summary: 'keep the first of questions with the same id', topic },
];

/** Flags that keep a part of the questions. */
export const selectionOptions: readonly CliOption[] = [
  { flags: '--subset <name>', summary: 'mini: a tenth, even over kinds and lengths', topic },
  {
    flags: '--sample <n>',
    summary: 'so many, even over kinds and lengths',
    kind: 'integer',
    topic,
  },
  { flags: '--limit <n>', summary: 'the first so many', kind: 'integer', topic },
  { flags: '--length-set <n>', summary: 'length sets, 1 to 4', kind: 'list', topic },
  { flags: '--level <n>', summary: 'tasks, 1 to 4', kind: 'list', topic },
  { flags: '--subtask <name>', summary: 'kinds of questions', kind: 'list', topic },
  { flags: '--domain <name>', summary: 'financial, legal, paper', kind: 'list', topic },
  { flags: '--language <code>', summary: 'en, zh', kind: 'list', topic },
  { flags: '--id <id>', summary: 'these questions', kind: 'list', topic },
  {
    flags: '--skip-missing-docs',
    summary: 'leave out questions whose documents are missing',
    topic,
  },
];

/** All of them. */
export const dataOptions: readonly CliOption[] = [...fileOptions, ...selectionOptions];

const listOf = (options: FlagValues, name: string): string[] | undefined => {
  const value = options[name];
  return Array.isArray(value) ? value.map(String) : undefined;
};

function numbersOf(options: FlagValues, name: string, flag: string): number[] | undefined {
  return listOf(options, name)?.map((text) => {
    const value = Number(text);
    if (Number.isInteger(value)) return value;
    throw new ConfigError(`${flag} ${JSON.stringify(text)} is no whole number.`);
  });
}

/** The selection that flags make. */
export function selectionOf(options: FlagValues): Selection {
  return {
    domains: listOf(options, 'domain'),
    sets: numbersOf(options, 'lengthSet', '--length-set'),
    levels: numbersOf(options, 'level', '--level'),
    subtasks: listOf(options, 'subtask'),
    languages: listOf(options, 'language'),
    ids: listOf(options, 'id'),
    limit: countOf(options, 'limit', '--limit'),
    sample: countOf(options, 'sample', '--sample'),
    subset: textOf(options, 'subset'),
  };
}

/** The file of questions. @throws {ConfigError} where none is named. */
export function dataFile(options: FlagValues): string {
  const data = textOf(options, 'data');
  if (data !== undefined) return data;
  throw new ConfigError('--data FILE is missing.', {
    help:
      'give loong.jsonl of the benchmark (github.com/MozerWang/Loong), or questions.jsonl that ' +
      '"loong build" wrote; "loong demo" needs neither.',
  });
}

/** The questions that flags name and select. */
export async function selectedRecords(options: FlagValues): Promise<LoongRecord[]> {
  const path = dataFile(options);
  const records = await readRecords(path, { dedupe: options['dedupe'] === true });
  return selectRecords(records, selectionOf(options));
}

/** The folder of documents; undefined where there is none. */
export function docsFolder(options: FlagValues): string | undefined {
  const given = textOf(options, 'docs');
  if (given !== undefined) return given;
  const beside = dirname(textOf(options, 'data') ?? '.');
  if (documentsFile(beside) !== undefined) return beside;
  const folder = join(beside, 'docs');
  return existsSync(folder) ? folder : undefined;
}

/** Questions and their documents. */
export interface AskedBenchmark {
  readonly records: readonly LoongRecord[];
  readonly library: DocumentLibrary;
  /** Questions left out as documents are missing. */
  readonly skipped: number;
}

/**
 * The questions that flags select, with their documents.
 *
 * @throws {ConfigError} without a folder of documents.
 * @throws {DataError} for missing documents, unless their questions are to be left out.
 */
export async function askedBenchmark(options: FlagValues): Promise<AskedBenchmark> {
  const records = await selectedRecords(options);
  const dir = docsFolder(options);
  if (dir === undefined) {
    throw new ConfigError('--docs DIR is missing.', {
      help:
        "the documents are not part of the questions' file: unpack doc.zip of the benchmark's " +
        'authors, or give the folder that "loong build" wrote.',
    });
  }
  const library = await openLibrary(dir);
  const missing = missingDocuments(records, library);
  if (missing.length === 0) return { records, library, skipped: 0 };
  if (options['skipMissingDocs'] !== true) throw missingError(dir, missing);
  const kept = records.filter((record) => missingDocuments([record], library).length === 0);
  if (kept.length === 0) throw missingError(dir, missing);
  return { records: kept, library, skipped: records.length - kept.length };
}

/** The flags that a run was started with, with the questions' file where it is now. */
export function flagsOfRun(dir: string, data?: string): FlagValues {
  const { config } = readRunRecord(dir);
  const passed = (config.passed ?? {}) as FlagValues;
  return data === undefined ? passed : { ...passed, data };
}
