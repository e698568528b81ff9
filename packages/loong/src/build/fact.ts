/**
 * What documents say of an attribute: the material of questions.
 */
import { DataError, nearest, type OnDefect, throwDefect } from '@lab/core';
import { readCsv, writeCsv } from '@lab/core/csv';
import { wholeNumber } from '../rules/normalise.js';

/** A value of an attribute in a document. */
export interface Fact {
  /** Name of the document. */
  readonly doc: string;
  readonly attribute: string;
  /** A number, or one of few words. */
  readonly value: number | string;
  /** Empty for none. */
  readonly unit: string;
  /** What the document is about, where several are about one thing at different times. */
  readonly entity?: string | undefined;
  /** When: sorts as text, e.g. `2023` or `2024-Q1`. */
  readonly period?: string | undefined;
  /** The passage that says so. */
  readonly quote?: string | undefined;
}

const columns = ['doc', 'attribute', 'value', 'unit', 'entity', 'period', 'quote'] as const;
const needed = ['doc', 'attribute', 'value'] as const;

/** Headings of the table, in order. */
export const factColumns: readonly string[] = columns;

/**
 * A value from its text: a number where all of it is one (with thousands separators, currency or
 * parentheses as in reports), else the text.
 */
export function parseValue(text: string): number | string {
  const trimmed = text.normalize('NFKC').trim();
  return wholeNumber(trimmed) ?? trimmed;
}

/**
 * The facts of a CSV or TSV file, in either of two forms: with the columns `doc, attribute, value`
 * and, where there are any, `unit, entity, period, quote` in any order; or with the column `doc`
 * and one for each attribute, its unit in parentheses, as in `Revenue (k USD)`, whose empty cells
 * say nothing.
 *
 * @throws {DataError} with the line for a missing value, a document that says two things of one
 *   attribute, and a table without the columns.
 */
export async function readFacts(path: string, onDefect: OnDefect = throwDefect): Promise<Fact[]> {
  const facts: Fact[] = [];
  const lineOf = new Map<string, number>();
  let table: FactTable | undefined;
  const onHeader = (header: string[]) => {
    table = factTable(header, path);
  };
  await readCsv(path, { header: true, onHeader, onDefect }, (row, line) => {
    const { found, empty } = table!.factsOf(row);
    if (empty !== undefined) {
      onDefect(
        new DataError(`${path} line ${line}: ${empty} is empty.`, {
          file: path,
          line,
          field: empty,
          help: table!.help,
        }),
      );
      return;
    }
    for (const fact of found) {
      const key = `${fact.doc}\n${fact.attribute}`;
      const first = lineOf.get(key);
      if (first === undefined) {
        lineOf.set(key, line);
        facts.push(fact);
      } else onDefect(twice(path, fact, { line, first }));
    }
  });
  return facts;
}

/** The rows of a table of facts. */
interface FactTable {
  /** The facts of a row, or the column that must not be empty and is. */
  factsOf(row: readonly string[]): { readonly found: Fact[]; readonly empty?: string | undefined };
  /** What to do about an empty cell. */
  readonly help: string;
}

function factTable(header: readonly string[], path: string): FactTable {
  const names = header.map((name) => name.trim().toLowerCase());
  const isWide = names.includes('doc') && !names.includes('attribute') && !names.includes('value');
  const attributes = header.flatMap((heading, place) =>
    isWide && names[place] !== '' && !columns.some((column) => column === names[place])
      ? [{ place, ...namedUnit(heading.trim()) }]
      : [],
  );
  if (attributes.length > 0) return wideTable(names, attributes);
  for (const name of needed) if (!names.includes(name)) throw noColumn(path, name, header);
  return longTable(names);
}

function longTable(names: readonly string[]): FactTable {
  return {
    help: 'give document, attribute and value in every row, or remove the row.',
    factsOf(row) {
      const cell = (name: (typeof columns)[number]) => row[names.indexOf(name)]?.trim() ?? '';
      const empty = needed.find((name) => cell(name) === '');
      if (empty !== undefined) return { found: [], empty };
      const fact: Fact = {
        doc: cell('doc'),
        attribute: cell('attribute'),
        value: parseValue(cell('value')),
        unit: cell('unit'),
        ...(cell('entity') === '' ? {} : { entity: cell('entity') }),
        ...(cell('period') === '' ? {} : { period: cell('period') }),
        ...(cell('quote') === '' ? {} : { quote: cell('quote') }),
      };
      return { found: [fact] };
    },
  };
}

interface AttributeColumn {
  readonly place: number;
  readonly attribute: string;
  readonly unit: string;
}

function wideTable(names: readonly string[], attributes: readonly AttributeColumn[]): FactTable {
  return {
    help: 'name the document in every row, or remove the row.',
    factsOf(row) {
      const cell = (place: number) => row[place]?.trim() ?? '';
      const doc = cell(names.indexOf('doc'));
      if (doc === '') return { found: [], empty: 'doc' };
      const [entity, period] = [cell(names.indexOf('entity')), cell(names.indexOf('period'))];
      const found = attributes.flatMap(({ place, attribute, unit }): Fact[] => {
        if (cell(place) === '') return [];
        return [
          {
            ...{ doc, attribute, value: parseValue(cell(place)), unit },
            ...(entity === '' ? {} : { entity }),
            ...(period === '' ? {} : { period }),
          },
        ];
      });
      return { found };
    },
  };
}

/** The attribute that a heading names, and the unit that it gives in parentheses. */
function namedUnit(heading: string): { readonly attribute: string; readonly unit: string } {
  const [, attribute = heading, unit = ''] =
    /^(.*\S)\s*[([（]([^()[\]（）]+)[)\]）]$/u.exec(heading) ?? [];
  return { attribute, unit };
}

function noColumn(path: string, name: string, header: readonly string[]): DataError {
  const close = nearest(name, header);
  return new DataError(`${path}: the table has no column "${name}".`, {
    file: path,
    field: name,
    help:
      `headings are ${columns.join(', ')}; the first three are needed` +
      (close === undefined ? '.' : `. Is ${JSON.stringify(close)} meant?`),
  });
}

function twice(
  path: string,
  { doc, attribute }: Fact,
  { line, first }: { readonly line: number; readonly first: number },
): DataError {
  return new DataError(
    `${path} line ${line}: "${attribute}" of "${doc}" stands in line ${first} already.`,
    { file: path, line, help: 'give one value; tell times apart by documents or attributes.' },
  );
}

/** Writes facts as the table that {@link readFacts} reads. */
export async function writeFacts(path: string, facts: readonly Fact[]): Promise<void> {
  const rows = facts.map(
    ({ doc, attribute, value, unit, entity = '', period = '', quote = '' }) => [
      doc,
      attribute,
      value,
      unit,
      entity,
      period,
      quote,
    ],
  );
  await writeCsv(path, columns, rows);
}
