/**
 * What a benchmark is made of, in numbers. Source: Loong, table 2.
 */
import type { LoongRecord } from './record.js';
import { levels, setsOf, taskNames } from './tasks.js';

/** Questions of a group and their lengths, in tokens of cl100k_base. */
export interface LengthStatistics {
  readonly name: string;
  readonly questions: number;
  readonly en: number;
  readonly zh: number;
  readonly meanDocuments: number;
  readonly meanTokens: number;
  readonly leastTokens: number;
  readonly mostTokens: number;
}

/** The statistics of all questions, of each length set, each task and each domain that there is. */
export function lengthStatistics(records: readonly LoongRecord[]): LengthStatistics[] {
  const domains = [...new Set(records.map(({ type }) => type))].sort();
  const groups: [string, (record: LoongRecord) => boolean][] = [
    ['all', () => true],
    ...setsOf(records).map((one): [string, (record: LoongRecord) => boolean] => [
      `set ${one}`,
      ({ set }) => set === one,
    ]),
    ...levels.map((one): [string, (record: LoongRecord) => boolean] => [
      taskNames[one],
      ({ level }) => level === one,
    ]),
    ...domains.map((one): [string, (record: LoongRecord) => boolean] => [
      one,
      ({ type }) => type === one,
    ]),
  ];
  return groups.flatMap(([name, keep]) => {
    const own = records.filter(keep);
    return own.length === 0 ? [] : [statisticsOf(name, own)];
  });
}

function statisticsOf(name: string, records: readonly LoongRecord[]): LengthStatistics {
  const sum = (of: (record: LoongRecord) => number): number =>
    records.reduce((total, record) => total + of(record), 0);
  const lengths = records.map(({ length }) => length);
  const questions = records.length;
  return {
    ...{ name, questions },
    en: records.filter(({ language }) => language === 'en').length,
    zh: records.filter(({ language }) => language === 'zh').length,
    meanDocuments: sum(({ doc }) => doc.length) / questions,
    meanTokens: sum(({ length }) => length) / questions,
    leastTokens: lengths.reduce((least, length) => Math.min(least, length)),
    mostTokens: lengths.reduce((most, length) => Math.max(most, length)),
  };
}
