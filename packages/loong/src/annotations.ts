/**
 * Answers for people to grade, out and back in: so it shows how far a judge can be trusted.
 */
import { basename } from 'node:path';
import { DataError } from '@lab/core';
import { readCsv, writeCsv } from '@lab/core/csv';
import { writeReviewPage } from '@lab/report';
import { scoreRange } from './judgement.js';
import { answerText } from './record.js';
import type { ScoredRecord } from './scored-record.js';
import { stratified } from './select.js';
import { subtaskOf } from './tasks.js';

/** What a person says of an answer. */
export interface Annotation {
  readonly id: string;
  /** 0..100, as a judge's score. */
  readonly grade: number;
  readonly annotator: string;
}

/** Headings of the file; `annotator` and `grade` are for people to fill. */
export const annotationColumns = [
  ...['id', 'kind', 'question', 'gold answer', 'answer', 'annotator', 'grade'],
] as const;

/** The grades that the page offers, and what they mean. */
const grades = [
  { value: '100', label: '100, all of it right', key: '4' },
  { value: '75', label: '75', key: '3' },
  { value: '50', label: '50, half of it', key: '2' },
  { value: '25', label: '25', key: '1' },
  { value: '0', label: '0, nothing', key: '0' },
] as const;

/**
 * So many judged answers, drawn evenly over kinds of questions and length sets, in their order.
 * Which ones hangs on ids and seed alone.
 */
export function answersToGrade(
  scored: readonly ScoredRecord[],
  { count, seed }: { readonly count: number; readonly seed: number },
): ScoredRecord[] {
  const judged = scored.filter(({ score, response }) => score !== null && response.trim() !== '');
  const records = judged.map(({ record }) => record);
  const chosen = new Set(stratified(records, count, seed).map(({ id }) => id));
  return judged.filter(({ record }) => chosen.has(record.id));
}

/** What a person sees: never the judge's score, which would be an anchor. */
function cellsOf({ record, response }: ScoredRecord): string[] {
  const asked = [record.instruction, record.question].filter((text) => text.trim() !== '');
  const kind = `${subtaskOf(record)}, set ${record.set}`;
  return [record.id, kind, asked.join('\n\n'), answerText(record.answer), response];
}

/**
 * Resolves when the answers are written as CSV, for a spreadsheet.
 *
 * @throws {DataError} when the file cannot be written.
 */
export async function writeAnnotations(
  path: string,
  scored: readonly ScoredRecord[],
): Promise<void> {
  await writeCsv(
    path,
    annotationColumns,
    scored.map((one) => [...cellsOf(one), '', '']),
  );
}

/** Writes the page on which answers are graded by mouse or keys; it gives them back as CSV. */
export function writeAnnotationPage(
  path: string,
  scored: readonly ScoredRecord[],
  { command, fileName }: { readonly command: string; readonly fileName: string },
): void {
  writeReviewPage(path, {
    title: 'How good are these answers?',
    sentence:
      'The gold answer is right and complete. Grade what each answer has of it; what is invented ' +
      'counts against it.',
    columns: annotationColumns.slice(0, -2),
    ...{ fileName, command },
    choices: { legend: 'Grade:', options: grades },
    questions: scored.map((one) => {
      const cells = cellsOf(one);
      const [id = '', kind = '', question = '', gold = '', answer = ''] = cells;
      return {
        ...{ cells, source: kind, target: '', measures: [], others: [] },
        names: [
          { label: 'Question', value: question },
          { label: 'Gold answer', value: gold },
          { label: 'Answer', value: answer },
        ],
        why: `question ${id}`,
      };
    }),
  });
}

/**
 * The grades of a file that {@link writeAnnotations} or the page wrote, filled in; rows that were
 * left open are left out. Columns that count are `id`, `grade` (or `decision`) and, where it is
 * there, `annotator`.
 *
 * @throws {DataError} with the line for what is no grade from 0 to 100.
 */
export async function readAnnotations(path: string): Promise<Annotation[]> {
  const annotations: Annotation[] = [];
  let header: readonly string[] = [];
  const onHeader = (heading: string[]): void => {
    header = heading.map((name) => name.trim().toLowerCase());
    const hasGrade = header.includes('grade') || header.includes('decision');
    if (header.includes('id') && hasGrade) return;
    throw new DataError(`${path}: there is no column "${hasGrade ? 'id' : 'grade'}".`, {
      file: path,
      help: 'keep the headings of the file that "loong annotate" wrote.',
    });
  };
  await readCsv(path, { header: true, onHeader }, (row, line) => {
    const cell = (name: string): string => row[header.indexOf(name)]?.trim() ?? '';
    const text = cell('decision') || cell('grade');
    if (text === '') return;
    const grade = Number(text);
    if (!(grade >= scoreRange.low && grade <= scoreRange.high)) {
      throw new DataError(`${path}: ${JSON.stringify(text)} is no grade from 0 to 100.`, {
        ...{ file: path, line, field: 'grade' },
      });
    }
    const annotator = cell('annotator') || basename(path).replace(/\.[ct]sv$/i, '');
    annotations.push({ id: cell('id'), grade, annotator });
  });
  return annotations;
}
