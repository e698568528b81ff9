/**
 * The four tasks, their eleven kinds of questions, and the length sets.
 */
import type { LoongRecord } from './record.js';

/** Task of a record: its field `level`. */
export type Level = 1 | 2 | 3 | 4;

/** Length set of a record: its field `set`. */
export type LengthSet = 1 | 2 | 3 | 4;

/** Names of the tasks by level. */
export const taskNames: Readonly<Record<Level, string>> = {
  1: 'spotlight locating',
  2: 'comparison',
  3: 'clustering',
  4: 'chain of reasoning',
};

/** The same in one word, for narrow columns. */
export const shortTaskNames: Readonly<Record<Level, string>> = {
  1: 'spotlight',
  2: 'comparison',
  3: 'clustering',
  4: 'chain',
};

/** The eleven kinds of questions by task, and those about texts of your own. */
export const subtasks = [
  'spotlight',
  'sequential-enumeration',
  'extremum-acquisition',
  'range-awareness',
  'report-integration',
  'citation-reference',
  'case-classification',
  'temporal-analysis',
  'citation-chain',
  'link-the-links',
  'solitaire',
  'open-question',
] as const;

/** A kind of question. */
export type Subtask = (typeof subtasks)[number];

/** All levels and all sets, in order. */
export const levels: readonly Level[] = [1, 2, 3, 4];
/** All length sets, the shortest first. */
export const lengthSets: readonly LengthSet[] = [1, 2, 3, 4];

/** The length sets that records are of, in order. */
export function setsOf(records: readonly Pick<LoongRecord, 'set'>[]): LengthSet[] {
  return lengthSets.filter((one) => records.some(({ set }) => set === one));
}

/** First tokens (cl100k_base) of each length set; the last one has no end. */
export const setStarts: Readonly<Record<LengthSet, number>> = {
  1: 0,
  2: 50_000,
  3: 100_000,
  4: 200_000,
};

/** The length set of so many tokens. Source: Loong, section 3.2; the last set is left open. */
export function setOfLength(tokens: number): LengthSet {
  return lengthSets.findLast((set) => tokens >= setStarts[set]) ?? 1;
}

const chineseRange = /^(以上所有判决文书中|这些判决文书中)/;
const extremum = /highest|lowest|最高|最低/;
const enumeration = /列举上述每个公司|Please list the/;

/**
 * The kind of question of a record: what its field `subtask` says, else what task, domain and
 * wording tell.
 *
 * Source: Loong, tables 2 and 7. The released records do not hold it; this rule gives the counts of
 * table 7, but for solitaire in sets 1 and 2, which the table prints the other way round.
 */
export function subtaskOf(record: LoongRecord): Subtask {
  const { level, type, question } = record;
  if (record.subtask !== undefined) return record.subtask;
  if (level === 1) return 'spotlight';
  if (level === 2) return comparisonOf(type, question);
  if (level === 3) {
    if (type === 'paper') return 'citation-reference';
    return type === 'legal' ? 'case-classification' : 'report-integration';
  }
  if (type === 'paper') return 'citation-chain';
  if (type !== 'legal') return 'temporal-analysis';
  return question.includes('若干份判决结果') ? 'link-the-links' : 'solitaire';
}

function comparisonOf(type: string, question: string): Subtask {
  if (type === 'legal') {
    return chineseRange.test(question) ? 'range-awareness' : 'sequential-enumeration';
  }
  if (extremum.test(question)) return 'extremum-acquisition';
  return enumeration.test(question) ? 'sequential-enumeration' : 'range-awareness';
}
