/**
 * Which records of a benchmark are asked.
 */
import { ConfigError, createRandom, nearest } from '@lab/core';
import type { LoongRecord } from './record.js';
import { lengthSets, levels, type Subtask, subtaskOf, subtasks } from './tasks.js';

/** What is kept of a benchmark; fields that are absent keep all. */
export interface Selection {
  readonly domains?: readonly string[] | undefined;
  readonly sets?: readonly number[] | undefined;
  readonly levels?: readonly number[] | undefined;
  readonly subtasks?: readonly string[] | undefined;
  readonly languages?: readonly string[] | undefined;
  readonly ids?: readonly string[] | undefined;
  /** The first so many. */
  readonly limit?: number | undefined;
  /** So many, drawn evenly over kinds of questions and length sets. */
  readonly sample?: number | undefined;
  /** `mini`: a tenth, as `sample` draws it. */
  readonly subset?: string | undefined;
  /** Of the draw; default 1. */
  readonly seed?: number | undefined;
}

/** Share of the records that `subset: 'mini'` keeps: 160 of Loong's 1,600. */
const miniShare = 0.1;

/**
 * The records that a selection keeps, in their order.
 *
 * @throws {ConfigError} for a value that no record has, and when nothing is left.
 */
export function selectRecords(
  records: readonly LoongRecord[],
  selection: Selection,
): LoongRecord[] {
  const { subset, sample, limit, seed = 1 } = selection;
  if (subset !== undefined && subset !== 'mini') {
    throw new ConfigError(`--subset ${JSON.stringify(subset)} is not known.`, {
      help: 'the one subset is mini: a tenth of the questions, even over kinds and lengths.',
    });
  }
  let kept = filtered(records, selection);
  if (subset === 'mini') kept = stratified(kept, Math.ceil(kept.length * miniShare), seed);
  if (sample !== undefined) kept = stratified(kept, sample, seed);
  if (limit !== undefined) kept = kept.slice(0, limit);
  if (kept.length > 0) return kept;
  throw new ConfigError('the selection keeps no question.', {
    help: '"loong check" prints how many there are by kind, set, domain and language.',
  });
}

function filtered(records: readonly LoongRecord[], selection: Selection): LoongRecord[] {
  const domains = [...new Set(records.map(({ type }) => type))];
  const keeps = [
    oneOf('--domain', selection.domains, { known: domains, of: ({ type }) => type }),
    oneOf('--set', textsOf(selection.sets), {
      known: textsOf(lengthSets),
      of: ({ set }) => `${set}`,
    }),
    oneOf('--level', textsOf(selection.levels), {
      known: textsOf(levels),
      of: ({ level }) => `${level}`,
    }),
    oneOf('--subtask', selection.subtasks, { known: subtasks, of: subtaskOf }),
    oneOf('--language', selection.languages, { known: ['en', 'zh'], of: (one) => one.language }),
    oneOf('--id', selection.ids, { known: records.map(({ id }) => id), of: ({ id }) => id }),
  ];
  return records.filter((record) => keeps.every((keep) => keep(record)));
}

const textsOf = <T extends readonly number[] | undefined>(numbers: T) =>
  numbers?.map(String) as T extends undefined ? undefined : readonly string[];

function oneOf(
  flag: string,
  wanted: readonly string[] | undefined,
  field: { readonly known: readonly string[]; readonly of: (record: LoongRecord) => string },
): (record: LoongRecord) => boolean {
  if (wanted === undefined || wanted.length === 0) return () => true;
  const known = new Set(field.known);
  const wrong = wanted.find((value) => !known.has(value));
  if (wrong !== undefined) {
    const close = nearest(wrong, known);
    const some = field.known.slice(0, 12).join(', ');
    throw new ConfigError(`${flag} ${JSON.stringify(wrong)}: no question has it.`, {
      help:
        close === undefined ? `there are ${some}.` : `did you mean ${close}? There are ${some}.`,
    });
  }
  const values = new Set(wanted);
  return (record) => values.has(field.of(record));
}

/**
 * So many records, drawn from each kind of question and length set in proportion to its size
 * (largest remainders), in their order. The draw of a record depends on its id and the seed alone.
 */
export function stratified(
  records: readonly LoongRecord[],
  count: number,
  seed: number,
): LoongRecord[] {
  if (count >= records.length) return [...records];
  const strata = new Map<string, LoongRecord[]>();
  for (const record of records) {
    const key = `${subtaskOf(record) satisfies Subtask} ${record.set}`;
    strata.set(key, [...(strata.get(key) ?? []), record]);
  }
  const random = createRandom(seed).fork('sample');
  const drawn = [...strata.entries()].map(([key, own]) => {
    const exact = (own.length * count) / records.length;
    return { key, own, whole: Math.floor(exact), rest: exact - Math.floor(exact) };
  });
  const missing = count - drawn.reduce((sum, { whole }) => sum + whole, 0);
  const byRest = drawn.toSorted((a, b) => b.rest - a.rest || (a.key < b.key ? -1 : 1));
  const further = new Set(byRest.slice(0, missing).map(({ key }) => key));
  const kept = new Set<string>();
  for (const { key, own, whole } of drawn) {
    const ranks = own
      .map(({ id }) => ({ id, rank: random.fork(id).uniform() }))
      .toSorted((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1));
    for (const { id } of ranks.slice(0, whole + (further.has(key) ? 1 : 0))) kept.add(id);
  }
  return records.filter(({ id }) => kept.has(id));
}
