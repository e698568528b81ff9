/**
 * How questions are answered from values: gold answers by construction.
 */
import type { Answer } from '../record.js';

/** What a question asks of the values of an attribute. */
export type Operation =
  /** Which document has this value? */
  | 'which'
  | 'highest'
  | 'lowest'
  /** The value of every document. */
  | 'list'
  /** The documents from a value on. */
  | 'at-least'
  /** Documents by classes of values. */
  | 'group'
  /** Documents from the least to the greatest value. */
  | 'order'
  /** Values over time, and how they go. */
  | 'trend';

/** A question as data: all that its gold answer follows from. */
export interface Construction {
  readonly operation: Operation;
  readonly attribute: string;
  readonly unit: string;
  /** Values by document, in no order. */
  readonly values: Readonly<Record<string, number | string>>;
  /** The value that `which` asks for. */
  readonly wanted?: number | string | undefined;
  /** Ends of classes: one for `at-least`, two for `group` of numbers. */
  readonly limits?: readonly number[] | undefined;
  /** Names of the classes of numbers, from low to high. */
  readonly classes?: readonly string[] | undefined;
  /** Periods by document, for `trend`. */
  readonly periods?: Readonly<Record<string, string>> | undefined;
}

/**
 * The gold answer of a question.
 *
 * @param construction - with the values of the documents that are looked at: fewer of them give the
 *   answer of a reader who saw those alone.
 */
export function goldOf(construction: Construction): Answer {
  const { operation, values, wanted, limits = [] } = construction;
  const entries = Object.entries(values);
  const names = (keep: (value: number | string) => boolean) =>
    entries.filter(([, value]) => keep(value)).map(([name]) => name);
  switch (operation) {
    case 'which':
      return names((value) => value === wanted);
    case 'highest':
    case 'lowest': {
      const numbers = entries.map(([, value]) => Number(value));
      const best = operation === 'highest' ? Math.max(...numbers) : Math.min(...numbers);
      return names((value) => Number(value) === best);
    }
    case 'list':
      return { ...values };
    case 'at-least':
      return names((value) => Number(value) >= limits[0]!);
    case 'group':
      return groupsOf(construction);
    case 'order':
      return entries.toSorted(([, a], [, b]) => Number(a) - Number(b)).map(([name]) => name);
    case 'trend':
      return trendOf(construction);
  }
}

function groupsOf({ values, limits, classes }: Construction): Record<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const name of classes ?? []) groups.set(name, []);
  for (const [name, value] of Object.entries(values)) {
    const group =
      limits === undefined || classes === undefined
        ? String(value)
        : classes[limits.filter((limit) => Number(value) >= limit).length]!;
    groups.set(group, [...(groups.get(group) ?? []), name]);
  }
  return Object.fromEntries(groups);
}

/** Which of two periods is the earlier one. */
export const comparePeriods = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function trendOf({ values, periods = {} }: Construction): Record<string, unknown> {
  const timeOf = new Map(Object.entries(periods));
  const period = (name: string) => timeOf.get(name) ?? name;
  // Not in the order of the keys: names such as `12` come first there, and by their numbers.
  const entries = Object.entries(values).toSorted(([a], [b]) =>
    comparePeriods(period(a), period(b)),
  );
  const steps = entries
    .slice(1)
    .map(([, value], index) => Math.sign(Number(value) - Number(entries[index]![1])));
  const trend = steps.every((step) => step > 0)
    ? 'rising'
    : steps.every((step) => step < 0)
      ? 'falling'
      : steps.every((step) => step === 0)
        ? 'constant'
        : 'mixed';
  const byPeriod = entries.map(([name, value]) => [period(name), value]);
  return { ...Object.fromEntries(byPeriod), trend };
}

/** A value of a document that would change the gold answer; null where there is none. */
export function changedValue(construction: Construction, doc: string): number | string | null {
  const gold = JSON.stringify(goldOf(construction));
  const differs = (value: number | string) => {
    const values = { ...construction.values, [doc]: value };
    return JSON.stringify(goldOf({ ...construction, values })) !== gold;
  };
  return candidates(construction, doc).find(differs) ?? null;
}

/** Values of the same kind as those that the documents have. */
function candidates({ values, wanted, limits }: Construction, doc: string): (number | string)[] {
  const own = values[doc]!;
  const all = Object.values(values);
  if (typeof own === 'string') {
    const others = all.filter((value) => value !== own);
    return [...(wanted === undefined ? [] : [wanted]), ...others];
  }
  const numbers = all.map(Number);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const beyond = Math.max(1, Math.abs(high - low));
  return [
    ...(typeof wanted === 'number' ? [wanted] : []),
    high + beyond,
    low - beyond,
    ...(limits ?? []).flatMap((limit) => [limit, limit - beyond]),
  ];
}
