/**
 * Questions about your own documents, whose gold answers follow from values.
 */
import { ConfigError, createRandom, type Random, sha256 } from '@lab/core';
import type { LoongRecord } from '../record.js';
import type { Subtask } from '../tasks.js';
import { countJoined, countTokens } from '../tokens.js';
import type { Fact } from './fact.js';
import {
  changedValue,
  comparePeriods,
  type Construction,
  goldOf,
  type Operation,
} from './operations.js';
import { builtTemplate, classNames, questionTexts } from './question-texts.js';
import type { OwnDocument } from './read-documents.js';

/** Settings of {@link makeQuestions}. */
export interface MakeQuestionsOptions {
  readonly documents: readonly OwnDocument[];
  readonly facts: readonly Fact[];
  /** Tokens of the prompts of each length set at most, rising; one to four of them. */
  readonly lengths: readonly number[];
  /** Questions of each operation in each length set, domain and language; default 2. */
  readonly perCell?: number | undefined;
  readonly seed?: number | undefined;
}

/** Questions, and what could not be asked. */
export interface MadeQuestions {
  readonly records: readonly LoongRecord[];
  readonly notes: readonly string[];
}

const kinds: Readonly<
  Record<Operation, { readonly level: 1 | 2 | 3 | 4; readonly subtask: Subtask }>
> = {
  which: { level: 1, subtask: 'spotlight' },
  highest: { level: 2, subtask: 'extremum-acquisition' },
  lowest: { level: 2, subtask: 'extremum-acquisition' },
  list: { level: 2, subtask: 'sequential-enumeration' },
  'at-least': { level: 2, subtask: 'range-awareness' },
  group: { level: 3, subtask: 'report-integration' },
  order: { level: 4, subtask: 'solitaire' },
  trend: { level: 4, subtask: 'temporal-analysis' },
};

const operations = Object.keys(kinds) as Operation[];
const ofNumbersAlone: ReadonlySet<Operation> = new Set<Operation>([
  'highest',
  'lowest',
  'at-least',
  'order',
  'trend',
]);

/**
 * Makes questions over the four tasks: for each operation, length set, domain and language up to
 * `perCell`, over documents that all have the attribute. As many documents are taken as fit into
 * the length. A question is made only where every one of its documents counts: where another value
 * in it alone would change the gold answer. Values of one attribute in several units are never
 * compared: each question keeps to one of them, and a note says so.
 *
 * @throws {ConfigError} for lengths that do not rise.
 */
export async function makeQuestions(options: MakeQuestionsOptions): Promise<MadeQuestions> {
  const { documents, facts, lengths, perCell = 2, seed = 1 } = options;
  checkLengths(lengths);
  const random = createRandom(seed).fork('build');
  const [units, notes]: [string[], string[]] = [[], []];
  const records = new Map<string, LoongRecord>();
  const groups = new Map<string, OwnDocument[]>();
  for (const document of documents) {
    const key = `${document.type}, ${document.language}`;
    groups.set(key, [...(groups.get(key) ?? []), document]);
  }
  for (const [key, own] of groups) {
    const group = await groupOf(own, facts);
    units.push(...unitNotes(key, group));
    for (const operation of operations) {
      for (const [index, most] of lengths.entries()) {
        const cell = { operation, set: index + 1, most, least: lengths[index - 1] ?? 0 };
        const stream = random.fork(key).fork(`${operation} ${index}`);
        const made = await fillCell(group, cell, { perCell, random: stream });
        for (const record of made) records.set(record.id, record);
        if (made.length < perCell) {
          const asked = made.length === 0 ? 'none' : `${made.length} of ${perCell}`;
          notes.push(`${key}: ${asked} of "${operation}" with up to ${most} tokens`);
        }
      }
    }
  }
  return { records: [...records.values()], notes: [...units, ...notes] };
}

function checkLengths(lengths: readonly number[]): void {
  const rises = lengths.every((length, index) => length > (lengths[index - 1] ?? 0));
  if (rises && lengths.length >= 1 && lengths.length <= 4) return;
  throw new ConfigError(
    `lengths are ${lengths.join(', ')}: one to four rising numbers are needed.`,
    {
      help: 'e.g. --lengths 12000,24000,36000,48000, in tokens.',
    },
  );
}

/** Documents of one domain and language, and what they say. */
interface Group {
  readonly byName: ReadonlyMap<string, SizedDocument>;
  /** Facts of each attribute in each of its units: values of two units are not compared. */
  readonly byMeasure: ReadonlyMap<string, readonly Fact[]>;
}

type SizedDocument = OwnDocument & { readonly tokens: number };

interface Cell {
  readonly operation: Operation;
  readonly set: number;
  readonly least: number;
  readonly most: number;
}

/** The text of a document as prompts hold it. */
const blockText = ({ title, text }: OwnDocument): string => `《${title}》\n${text.trimEnd()}\n\n`;

async function groupOf(documents: readonly OwnDocument[], facts: readonly Fact[]): Promise<Group> {
  const byName = new Map<string, SizedDocument>();
  for (const document of documents) {
    const tokens = await countTokens(blockText(document));
    byName.set(document.name, { ...document, tokens });
  }
  const byMeasure = new Map<string, Fact[]>();
  for (const fact of facts) {
    if (!byName.has(fact.doc)) continue;
    const key = `${fact.attribute}\n${fact.unit}`;
    byMeasure.set(key, [...(byMeasure.get(key) ?? []), fact]);
  }
  return { byName, byMeasure };
}

/** Attributes of several units: the questions about one leave out the values of the others. */
function unitNotes(key: string, { byMeasure }: Group): string[] {
  const units = new Map<string, string[]>();
  for (const [first] of byMeasure.values()) {
    const { attribute, unit } = first!;
    units.set(attribute, [...(units.get(attribute) ?? []), unit === '' ? 'none' : unit]);
  }
  return [...units]
    .filter(([, own]) => own.length > 1)
    .map(
      ([attribute, own]) =>
        `${key}: "${attribute}" has the units ${own.join(', ')}; no question is about two of them`,
    );
}

async function fillCell(
  group: Group,
  cell: Cell,
  { perCell, random }: { readonly perCell: number; readonly random: Random },
): Promise<LoongRecord[]> {
  const sources = sourcesOf(group, cell.operation);
  random.shuffle(sources);
  const made: LoongRecord[] = [];
  // Each source gets its turn before any gets a second one.
  for (let round = 0; round < 3 && made.length < perCell; round += 1) {
    for (const source of sources) {
      if (made.length >= perCell) break;
      const record = await recordOf(group, cell, { source, random });
      if (record !== null && made.every(({ id }) => id !== record.id)) made.push(record);
    }
  }
  return made;
}

/** Facts that a question can be made of: of an attribute in a unit, or of an entity over time. */
function sourcesOf({ byMeasure }: Group, operation: Operation): (readonly Fact[])[] {
  const all = [...byMeasure.values()];
  const numbers = (facts: readonly Fact[]) =>
    facts.filter(({ value }) => typeof value === 'number');
  if (operation === 'trend') {
    const series = new Map<string, Fact[]>();
    for (const fact of all.flatMap(numbers)) {
      if (fact.entity === undefined || fact.period === undefined) continue;
      const key = `${fact.entity}\n${fact.attribute}\n${fact.unit}`;
      series.set(key, [...(series.get(key) ?? []), fact]);
    }
    return [...series.values()].filter((facts) => new Set(periodsOf(facts)).size >= 3);
  }
  const least = operation === 'group' || operation === 'order' ? 3 : 2;
  return all
    .map((facts) => (isOfNumbers(facts, operation) ? numbers(facts) : facts))
    .filter((facts) => facts.length >= least);
}

const periodsOf = (facts: readonly Fact[]) => facts.map(({ period = '' }) => period);

function isOfNumbers(facts: readonly Fact[], operation: Operation): boolean {
  if (ofNumbersAlone.has(operation)) return true;
  const count = facts.filter(({ value }) => typeof value === 'number').length;
  return 2 * count >= facts.length;
}

async function recordOf(
  group: Group,
  cell: Cell,
  { source, random }: { readonly source: readonly Fact[]; readonly random: Random },
): Promise<LoongRecord | null> {
  const { operation } = cell;
  const facts = operation === 'trend' ? inTime(source) : fitting(group, cell, { source, random });
  const [first] = facts;
  if (first === undefined || facts.length < 2) return null;
  const { language, type } = group.byName.get(first.doc)!;
  const construction = constructionOf(cell.operation, facts, { language, random });
  if (construction === null) return null;
  const doc = facts.map((fact) => fact.doc);
  if (doc.some((name) => changedValue(construction, name) === null)) return null;
  const texts = questionTexts(construction, language);
  const rest = builtTemplate
    .slice('{docs}'.length)
    .replace('{instruction}', () => texts.instruction)
    .replace('{question}', () => texts.question);
  const blocks = doc.map((name) => blockText(group.byName.get(name)!));
  const length = await countJoined([...blocks, rest]);
  if (length <= cell.least || length > cell.most) return null;
  return {
    ...{ level: kinds[operation].level, set: cell.set as LoongRecord['set'], length, type },
    ...{ language, question: texts.question, instruction: texts.instruction },
    ...{ prompt_template: builtTemplate, doc, answer: goldOf(construction), shuffle_doc: true },
    id: sha256(JSON.stringify([operation, texts.question, doc])).slice(0, 16),
    subtask: kinds[operation].subtask,
    construction: { ...construction },
  };
}

/** Tokens of instruction, question and joints, kept free while documents are taken. */
const frameTokens = 260;

/** Facts of documents that fit into the length, drawn at random. */
function fitting(
  { byName }: Group,
  { most }: Cell,
  { source, random }: { readonly source: readonly Fact[]; readonly random: Random },
): Fact[] {
  const drawn = [...source];
  random.shuffle(drawn);
  let tokens = frameTokens;
  return drawn.filter(({ doc }) => {
    const size = byName.get(doc)!.tokens;
    if (tokens + size > most) return false;
    tokens += size;
    return true;
  });
}

/** The facts of an entity, the first of each period, in order. */
function inTime(facts: readonly Fact[]): Fact[] {
  const byPeriod = new Map<string, Fact>();
  for (const fact of facts) if (!byPeriod.has(fact.period!)) byPeriod.set(fact.period!, fact);
  return [...byPeriod.values()].toSorted((a, b) => comparePeriods(a.period!, b.period!));
}

function constructionOf(
  operation: Operation,
  facts: readonly Fact[],
  { language, random }: { readonly language: 'en' | 'zh'; readonly random: Random },
): Construction | null {
  const [{ attribute, unit }] = facts as [Fact];
  const values = Object.fromEntries(facts.map(({ doc, value }) => [doc, value]));
  const base = { operation, attribute, unit, values };
  const numbers = facts.map(({ value }) => Number(value)).sort((a, b) => a - b);
  const isDistinct = new Set(numbers).size === numbers.length;
  const at = (share: number) => numbers[Math.floor(numbers.length * share)]!;
  switch (operation) {
    case 'which':
      return { ...base, wanted: facts[random.integer(facts.length)]!.value };
    case 'highest':
    case 'lowest':
    case 'order':
      return isDistinct ? base : null;
    case 'at-least':
      return { ...base, limits: [at(0.5)] };
    case 'group': {
      if (typeof facts[0]!.value === 'string') {
        const count = new Set(facts.map(({ value }) => String(value))).size;
        return count < facts.length && count > 1 ? base : null;
      }
      const limits = [at(1 / 3), at(2 / 3)];
      if (limits[0] === limits[1]) return null;
      return { ...base, limits, classes: classNames[language] };
    }
    case 'trend':
      return {
        ...{ ...base, attribute: `${facts[0]!.entity}: ${attribute}` },
        periods: Object.fromEntries(facts.map(({ doc, period = '' }) => [doc, period])),
      };
    case 'list':
      return base;
  }
}
