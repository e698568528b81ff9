/**
 * Pairs of your own: JSON lines, a JSON list, CSV or TSV, under whatever names the fields have.
 */
import { basename } from 'node:path';
import { DataError, nearest, type OnDefect, reportDefect, throwDefect } from '@lab/core';
import { readCsv } from '@lab/core/csv';
import { type Sample, sampleId } from '../sample.js';
import { beginsList, firstText } from './first-text.js';
import { type LabelMap, parseLabel } from './gold-label.js';
import { type ItemPlace, type JsonObject, readJsonList } from './json-file.js';
import { eachObject } from './json-lines.js';

/** What a pair is made of. */
export type PairField =
  | 'a'
  | 'b'
  | 'dataset'
  | 'family'
  | 'gold'
  | 'id'
  | 'question'
  | 'system1'
  | 'system2';

/** How the fields of a file are called, and what its labels mean. */
export interface OwnPairsOptions {
  /** Names of fields; those not given are found by their usual names. */
  readonly fields?: { readonly [field in PairField]?: string | undefined } | undefined;
  /** Family of pairs that name none; default `qa`. */
  readonly family?: string | undefined;
  readonly labels?: LabelMap | undefined;
  readonly onDefect?: OnDefect | undefined;
}

/** Usual names of fields, the first that a file has, whatever its case and what parts its words. */
const usualNames: Readonly<Record<PairField, readonly string[]>> = {
  question: ['question', 'query', 'prompt', 'instruction', 'input'],
  a: ['answer1', 'response1', 'output1', 'answer a', 'response a', 'output a', 'a', 'chosen'],
  b: ['answer2', 'response2', 'output2', 'answer b', 'response b', 'output b', 'b', 'rejected'],
  gold: ['gold', 'label', 'human', 'winner', 'preference', 'better'],
  family: ['family', 'task'],
  id: ['id', 'sample id', 'idx'],
  dataset: ['dataset', 'source'],
  system1: ['system1', 'model a', 'model1', 'system a'],
  system2: ['system2', 'model b', 'model2', 'system b'],
};
const neededFields: readonly PairField[] = ['a', 'b'];

type FieldNames = { readonly [field in PairField]?: string };

/**
 * The pairs of a file. Pairs without an id get a digest of their texts; a pair without a question
 * has an empty one.
 *
 * @throws {DataError} with the line for a missing answer or an unknown label, and for a file that
 *   has no fields for the answers.
 */
export async function readOwnPairs(path: string, options: OwnPairsOptions = {}): Promise<Sample[]> {
  const { onDefect = throwDefect } = options;
  const samples: Sample[] = [];
  let names: FieldNames | undefined;
  const add = (object: JsonObject, place: ItemPlace): void => {
    names ??= fieldNames(Object.keys(object), path, options.fields);
    samples.push(pairOf(object, place, { ...options, names, file: path }));
  };
  if (/\.[ct]sv(\.gz)?$/i.test(path)) {
    let header: readonly string[] = [];
    const onHeader = (heading: string[]): void => {
      header = heading.map((name) => name.trim());
      names = fieldNames(header, path, options.fields);
    };
    await readCsv(path, { header: true, onHeader, onDefect }, (row, line) => {
      const object = Object.fromEntries(header.map((name, at) => [name, row[at]]));
      reportDefect(onDefect, () => add(object, { file: path, line, unit: 'line' }));
    });
  } else if (beginsList(await firstText(path))) {
    for (const [at, object] of (await readJsonList(path)).entries()) {
      reportDefect(onDefect, () => add(object, { file: path, line: at + 1, unit: 'item' }));
    }
  } else {
    await eachObject(path, onDefect, add);
  }
  return samples;
}

/** The names of fields in a file. */
function fieldNames(
  present: readonly string[],
  path: string,
  given: OwnPairsOptions['fields'] = {},
): FieldNames {
  const found: { [field in PairField]?: string } = {};
  for (const field of Object.keys(usualNames) as PairField[]) {
    const wished = given[field];
    if (wished !== undefined && !present.includes(wished)) {
      const close = nearest(wished, present);
      throw new DataError(`${path}: there is no field ${JSON.stringify(wished)}.`, {
        ...{ file: path, field: wished },
        help: close === undefined ? `it has ${present.join(', ')}.` : `did you mean ${close}?`,
      });
    }
    const name = wished ?? usualName(field, present);
    if (name !== undefined) found[field] = name;
  }
  const missing = neededFields.filter((field) => found[field] === undefined);
  if (missing.length === 0) return found;
  throw new DataError(
    `${path}: no field is known as ${missing.map((field) => `answer ${field}`).join(' and ')}; ` +
      `it has ${present.slice(0, 12).join(', ')}.`,
    { file: path, help: 'say which fields they are: --question Q --a FIRST --b SECOND.' },
  );
}

/** The field of a file with the first of the usual names: `Answer_1` is answer1. */
function usualName(field: PairField, present: readonly string[]): string | undefined {
  const folded = present.map(foldName);
  const at = usualNames[field].map((usual) => folded.indexOf(foldName(usual)));
  return present[at.find((place) => place >= 0) ?? -1];
}

const foldName = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

interface PairOptions extends OwnPairsOptions {
  readonly names: FieldNames;
  readonly file: string;
}

function pairOf(object: JsonObject, place: ItemPlace, options: PairOptions): Sample {
  const { names, file, labels } = options;
  const text = (field: PairField): string => valueText(object[names[field] ?? '']);
  const answer = (field: 'a' | 'b'): string => {
    const name = names[field] ?? field;
    if (object[name] !== undefined && object[name] !== null) return text(field);
    throw new DataError(`${file} ${place.unit ?? 'line'} ${place.line}: ${name} is missing.`, {
      ...{ file, line: place.line, field: name, text: place.text },
      help: 'give both answers, an empty text for an empty one.',
    });
  };
  const [question, answer1, answer2] = [text('question'), answer('a'), answer('b')];
  const gold =
    names.gold === undefined
      ? null
      : parseLabel(object[names.gold], { ...place, field: names.gold }, labels);
  const [system1, system2] = [text('system1'), text('system2')];
  return {
    id: text('id') || sampleId(question, answer1, answer2),
    dataset: text('dataset') || basename(file).replace(/\.(jsonl?|csv|tsv)(\.gz)?$/i, ''),
    family: text('family') || (options.family ?? 'qa'),
    ...{ question, answer1, answer2, gold },
    ...(system1 === '' || system2 === '' ? {} : { system1, system2 }),
  };
}

function valueText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
