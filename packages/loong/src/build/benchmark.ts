/**
 * A benchmark of your own as a folder: questions, documents, facts, and a page to review.
 */
import { join } from 'node:path';
import {
  DataError,
  makeFolder,
  nearest,
  type OnDefect,
  throwDefect,
  writeFileAtomic,
} from '@lab/core';
import { writeDocuments } from '../documents-file.js';
import type { LoongRecord } from '../record.js';
import { holdsNumber, numbersIn } from '../rules/normalise.js';
import { type Fact, writeFacts } from './fact.js';
import type { OwnDocument } from './read-documents.js';
import { tableFacts } from './table-facts.js';

/** What a benchmark of your own is written from. */
export interface OwnBenchmark {
  readonly records: readonly LoongRecord[];
  readonly documents: readonly OwnDocument[];
  readonly facts: readonly Fact[];
}

/** Names of the files of a benchmark's folder. */
export const benchmarkFiles = {
  questions: 'questions.jsonl',
  documents: 'docs.jsonl',
  facts: 'facts.csv',
  candidates: 'candidates.csv',
  review: 'review.html',
  questionReview: 'question-review.html',
} as const;

/** Writes a benchmark; only documents that a question names are written. */
export async function writeBenchmark(dir: string, benchmark: OwnBenchmark): Promise<void> {
  const { records, documents, facts } = benchmark;
  makeFolder(dir);
  const named = new Set(records.flatMap(({ doc }) => doc));
  const lines = records.map((record) => `${JSON.stringify(record)}\n`);
  writeFileAtomic(join(dir, benchmarkFiles.questions), lines);
  writeDocuments(
    join(dir, benchmarkFiles.documents),
    documents
      .filter(({ name }) => named.has(name))
      .map(({ name, title, text, type }) => ({ name, title, type, text })),
  );
  await writeFacts(join(dir, benchmarkFiles.facts), facts);
}

/** Facts of all documents that are tables, or hold some. */
export function factsOfTables(documents: readonly OwnDocument[]): Fact[] {
  return documents.flatMap(({ name, text }) => tableFacts(name, text));
}

/**
 * The facts whose documents there are; the others go to `onDefect`.
 */
export function knownFacts(
  facts: readonly Fact[],
  documents: readonly OwnDocument[],
  onDefect: OnDefect = throwDefect,
): Fact[] {
  const names = new Set(documents.map(({ name }) => name));
  return facts.filter(({ doc, attribute }) => {
    if (names.has(doc)) return true;
    const close = nearest(doc, names);
    onDefect(
      new DataError(`"${attribute}" is of the document "${doc}", which there is not.`, {
        field: 'doc',
        help:
          close === undefined
            ? 'documents are called by the names of their files, without ending.'
            : `did you mean "${close}"?`,
      }),
    );
    return false;
  });
}

/** Facts whose value does not stand in the text of their document: nobody can answer from there. */
export function unsaidFacts(facts: readonly Fact[], documents: readonly OwnDocument[]): Fact[] {
  const texts = new Map(documents.map(({ name, text }) => [name, text]));
  const numbers = new Map<string, ReturnType<typeof numbersIn>>();
  return facts.filter(({ doc, value }) => {
    const text = texts.get(doc) ?? '';
    if (typeof value === 'string') return !text.includes(value);
    const known = numbers.get(doc) ?? numbersIn(text);
    numbers.set(doc, known);
    const isSaid = (isPercent: boolean) => holdsNumber(known, { value, isPercent, text: '' });
    return !isSaid(false) && !isSaid(true);
  });
}
