/**
 * Facts of texts, as a model or a rule proposes them; people decide which are right.
 */
import { isSampleFailure, type LlmClient, LlmFailure, parsePrompt } from '@lab/llm';
import { writeReviewPage } from '@lab/report';
import { readCsv } from '@lab/core/csv';
import { DataError } from '@lab/core';
import { z } from 'zod';
import { type Fact, factColumns, parseValue } from './fact.js';
import type { OwnDocument } from './read-documents.js';

const schema = z.object({
  facts: z.array(
    z.object({
      quote: z.string(),
      attribute: z.string(),
      value: z.string(),
      unit: z.string(),
      entity: z.string().nullable(),
      period: z.string().nullable(),
    }),
  ),
});

const prompt = parsePrompt(`Find facts in the document below that other documents of its kind
will state too: amounts, counts, dates, kinds. Name each attribute as generally as can be, so that
the same one gets the same name in every document{{known}}.{{entities}}

{{document|block}}

Give at most {{most}} facts. For each: "quote", the passage that states it, copied word for word, at
most 200 characters; "attribute"; "value", copied from the quote; "unit", empty for none; "entity",
the company, person or thing that it is of, by its name, or null; "period", the year or quarter that
it is of, e.g. 2023 or 2023-Q4, or null.`);

/** Settings of {@link proposeFacts}. */
export interface ProposeOptions {
  readonly client: LlmClient;
  /** Facts of a document at most; default 12. */
  readonly most?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number) => void) | undefined;
  /** Told of a document for which the model gave nothing: refused, cut, too long, or no data. */
  readonly onFailure?: ((document: string, failure: LlmFailure) => void) | undefined;
}

/** Attributes, and entities, named in a prompt, so that later documents call them the same. */
const namedInPrompt = 40;
/** Characters of a document that a model is shown. */
const shownCharacters = 60_000;

/**
 * Facts that a model finds in documents. Only those are kept whose passage stands in the document
 * word for word and holds the value; they are proposals until somebody has looked at them.
 *
 * @throws {LlmFailure} that says something about the server; what fails for one document alone goes
 *   to `onFailure`.
 */
export async function proposeFacts(
  documents: readonly OwnDocument[],
  { client, most = 12, signal, onProgress, onFailure }: ProposeOptions,
): Promise<Fact[]> {
  const found: Fact[] = [];
  for (const [index, { name, text }] of documents.entries()) {
    const known = namesOf(found.map(({ attribute }) => attribute));
    const entities = namesOf(found.map(({ entity = '' }) => entity));
    const content = prompt.fill({
      ...{ document: text.slice(0, shownCharacters), most },
      known: known === '' ? '' : `; so far there are: ${known}`,
      entities: entities === '' ? '' : ` The documents before it are about: ${entities}.`,
    });
    try {
      const messages = [{ role: 'user', content }] as const;
      const { json } = await client.json({ messages, maxTokens: 4096, signal }, schema);
      found.push(...json.facts.flatMap((fact) => checkedFact(name, text, fact)));
    } catch (error) {
      if (!(error instanceof LlmFailure) || !isSampleFailure(error.kind)) throw error;
      onFailure?.(name, error);
    }
    onProgress?.(index + 1);
  }
  return oncePerDocument(found);
}

const namesOf = (names: readonly string[]): string =>
  [...new Set(names.filter((name) => name !== ''))].slice(0, namedInPrompt).join('; ');

function checkedFact(
  doc: string,
  text: string,
  fact: z.infer<typeof schema>['facts'][number],
): Fact[] {
  const { quote, attribute, value, unit } = fact;
  const [entity, period] = [fact.entity?.trim() ?? '', fact.period?.trim() ?? ''];
  const flat = (words: string) => words.replace(/\s+/g, ' ').trim();
  const isSaid = flat(text).includes(flat(quote)) && flat(quote).includes(flat(value));
  if (!isSaid || attribute.trim() === '' || value.trim() === '') return [];
  return [
    {
      ...{ doc, attribute: attribute.trim(), value: parseValue(value), unit: unit.trim(), quote },
      ...(entity === '' ? {} : { entity }),
      ...(period === '' ? {} : { period }),
    },
  ];
}

const labelled = /^[ \t>*-]*([\p{L}][^:：|\n]{1,60}?)\s*[:：]\s*(\S[^\n]{0,60}?)[ \t]*$/gmu;

/** Facts that a text states on lines of the form `name: value`: proposals that need no model. */
export function labelledFacts({ name, text }: OwnDocument): Fact[] {
  const facts = [...text.matchAll(labelled)].map(([line, attribute = '', said = '']) => {
    const parts = /^([($€£¥\d][\d.,()]*)\s*(\D{0,20})$/u.exec(said);
    const value = parts === null ? said.trim() : parts[1]!;
    const unit = parts?.[2]?.trim() ?? '';
    return {
      doc: name,
      attribute: attribute.trim(),
      value: parseValue(value),
      unit,
      quote: line.trim(),
    };
  });
  return oncePerDocument(facts);
}

function oncePerDocument(facts: readonly Fact[]): Fact[] {
  const seen = new Set<string>();
  return facts.filter(({ doc, attribute }) => {
    const key = `${doc}\n${attribute}`;
    return !seen.has(key) && seen.add(key);
  });
}

const cellsOf = ({ doc, attribute, value, unit, entity = '', period = '', quote = '' }: Fact) => [
  ...[doc, attribute, String(value), unit, entity, period, quote],
];

/** Writes the page on which proposals are decided; it gives them back as CSV with a decision. */
export function writeFactReview(
  path: string,
  facts: readonly Fact[],
  { command, fileName }: { readonly command: string; readonly fileName: string },
): void {
  writeReviewPage(path, {
    title: 'Do the documents say so?',
    sentence:
      'Each line is a value that was found in a document. "Yes" keeps it; "no" and undecided ' +
      'leave it out; "another one" puts the value that you type in its place.',
    columns: factColumns,
    fileName,
    command,
    questions: facts.map((fact) => ({
      cells: cellsOf(fact),
      source: `${fact.doc}: ${fact.attribute}`,
      target: `${fact.value}${fact.unit === '' ? '' : ` ${fact.unit}`}`,
      names: [
        { label: 'document', value: fact.doc },
        { label: 'attribute', value: fact.attribute },
      ],
      why: fact.quote ?? 'no passage is given',
      measures: [],
      others: [],
    })),
  });
}

/**
 * The facts of a reviewed table: those decided `yes`, and those with another value as a decision.
 *
 * @throws {DataError} for a table without decisions.
 */
export async function readDecidedFacts(path: string): Promise<Fact[]> {
  const facts: Fact[] = [];
  let names: readonly string[] = [];
  const onHeader = (header: string[]) => {
    names = header.map((name) => name.trim().toLowerCase());
    if (names.includes('decision')) return;
    throw new DataError(`${path}: the table has no column "decision".`, {
      file: path,
      help: 'give the file that the review page downloads.',
    });
  };
  await readCsv(path, { header: true, onHeader }, (row) => {
    const cell = (name: string) => row[names.indexOf(name)]?.trim() ?? '';
    const decision = cell('decision');
    if (decision === '' || decision === 'no') return;
    const value = parseValue(decision === 'yes' ? cell('value') : decision);
    facts.push({
      ...{ doc: cell('doc'), attribute: cell('attribute'), value, unit: cell('unit') },
      ...(cell('entity') === '' ? {} : { entity: cell('entity') }),
      ...(cell('period') === '' ? {} : { period: cell('period') }),
      ...(cell('quote') === '' ? {} : { quote: cell('quote') }),
    });
  });
  return oncePerDocument(facts);
}
