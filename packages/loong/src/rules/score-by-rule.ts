/**
 * Scores by rule: cheap, the same every time, and a check on the judge.
 */
import { parseAnswer } from '@lab/llm';
import { z } from 'zod';
import { answerText, type LoongRecord } from '../record.js';
import { subtaskOf } from '../tasks.js';
import { holdsNumber, normaliseTitle, numbersIn, valueKey } from './normalise.js';

/**
 * The score of an answer by the rule of its kind of question, 0..100: exact sets, lists and
 * mappings, equal numbers, pairwise F1 of groupings (at most 99 where a name or a document is not
 * in its place), the longest correct beginning of chains. Null where no rule fits the gold answer.
 *
 * An answer in other words than the gold one can be right and get 0: read these scores beside those
 * of a judge.
 */
export async function scoreByRule(record: LoongRecord, response: string): Promise<number | null> {
  const { answer } = record;
  if (response.trim() === '') return 0;
  if (Array.isArray(answer)) {
    const items = answer.map(String);
    return subtaskOf(record) === 'citation-chain' || record.level === 4
      ? chainScore(items, await listIn(response))
      : exact(sameSet(items, await listIn(response)));
  }
  if (typeof answer !== 'string') return mappingScore(record, response);
  const labels = labelsIn(answer);
  if (labels.length > 0) {
    const isOrdered = subtaskOf(record) === 'sequential-enumeration';
    const found = labelsIn(response);
    return exact(isOrdered ? sameList(labels, found) : sameSet(labels, found));
  }
  return textScore(record, response);
}

const exact = (isRight: boolean): number => (isRight ? 100 : 0);

/** Labels of judgments, each once, in their order. */
function labelsIn(text: string): string[] {
  const found = [...text.matchAll(/《?判决文书\s*(\d+)\s*》?/g)].map(([, number]) => `${number}`);
  return [...new Set(found)];
}

const keySet = (items: readonly string[]): Set<string> => new Set(items.map(valueKey));

function sameSet(gold: readonly string[], found: readonly string[]): boolean {
  const [left, right] = [keySet(gold), keySet(found)];
  return left.size === right.size && [...left].every((item) => right.has(item));
}

function sameList(gold: readonly string[], found: readonly string[]): boolean {
  return (
    gold.length === found.length &&
    gold.every((item, index) => valueKey(item) === valueKey(found[index]!))
  );
}

const listSchema = z.array(z.union([z.string(), z.number()]).transform(String));

/** The list in an answer: as JSON, else what stands on its lines. */
async function listIn(response: string): Promise<string[]> {
  const parsed = await parseAnswer(response, listSchema as z.ZodType<string[]>);
  if (parsed.fits) return parsed.json;
  return response
    .split(/[\n；;]/)
    .map((line) => line.replace(/^\s*(?:[-*•]|\d+[.)、])\s*/, '').trim())
    .filter((line) => line !== '');
}

/** `100 (longest correct beginning) / (length of the chain)`. */
export function chainScore(gold: readonly string[], found: readonly string[]): number {
  let right = 0;
  const isRight = (at: number) => at < found.length && valueKey(gold[at]!) === valueKey(found[at]!);
  while (right < gold.length && isRight(right)) right += 1;
  return gold.length === 0 ? 0 : (100 * right) / gold.length;
}

const mappingSchema = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.null(), z.array(z.union([z.string(), z.number()]))]),
);

type Mapping = z.infer<typeof mappingSchema>;

async function mappingScore(record: LoongRecord, response: string): Promise<number> {
  const gold = mappingSchema.safeParse(record.answer);
  const parsed = await parseAnswer(response, mappingSchema as z.ZodType<Mapping>);
  if (!gold.success || !parsed.fits) return 0;
  const isGrouping = Object.values(gold.data).every((value) => Array.isArray(value));
  if (isGrouping && record.level === 3 && subtaskOf(record) !== 'citation-reference') {
    // Pairs know neither names nor documents that stand alone: all of it is right only where the
    // groups are the same.
    const isSame = sameMapping(gold.data, parsed.json);
    return isSame ? 100 : Math.min(99, 100 * groupingF1(gold.data, parsed.json));
  }
  return exact(sameMapping(gold.data, parsed.json));
}

const membersOf = (value: Mapping[string] | undefined): string[] =>
  value === undefined || value === null ? [] : [value].flat().map(String);

/** The same values under the same keys; keys with nothing in them need not be said. */
function sameMapping(gold: Mapping, found: Mapping): boolean {
  const byKey = new Map(
    Object.entries(found).map(([key, value]) => [valueKey(key), membersOf(value)]),
  );
  const isRight = Object.entries(gold).every(([key, value]) =>
    sameSet(membersOf(value), byKey.get(valueKey(key)) ?? []),
  );
  const known = new Set(Object.keys(gold).map(valueKey));
  return isRight && [...byKey].every(([key, value]) => known.has(key) || value.length === 0);
}

/**
 * Pairwise F1 of two groupings: pairs of documents that stand together in both, against those that
 * do in either. Where no two stand together in the gold grouping, the share of documents under the
 * right name.
 *
 * `F1 = 2 |P_g ∩ P_f| / (|P_g| + |P_f|)`
 */
export function groupingF1(gold: Mapping, found: Mapping): number {
  const [left, right] = [pairsOf(gold), pairsOf(found)];
  if (left.size === 0) return namedShare(gold, found);
  let both = 0;
  for (const pair of left) if (right.has(pair)) both += 1;
  return (2 * both) / (left.size + right.size);
}

function pairsOf(groups: Mapping): Set<string> {
  const pairs = new Set<string>();
  for (const value of Object.values(groups)) {
    const members = [...keySet(membersOf(value))].sort();
    for (const [index, one] of members.entries()) {
      for (const other of members.slice(index + 1)) pairs.add(`${one}\n${other}`);
    }
  }
  return pairs;
}

function namedShare(gold: Mapping, found: Mapping): number {
  const placed = (groups: Mapping) =>
    new Set(
      Object.entries(groups).flatMap(([name, value]) =>
        membersOf(value).map((item) => `${valueKey(name)}\n${valueKey(item)}`),
      ),
    );
  const [left, right] = [placed(gold), placed(found)];
  const both = [...left].filter((item) => right.has(item)).length;
  return left.size + right.size === 0 ? 1 : (2 * both) / (left.size + right.size);
}

/** Numbers of the gold answer that the response holds; without numbers, the name that it gives. */
function textScore(record: LoongRecord, response: string): number | null {
  const gold = answerText(record.answer);
  const numbers = numbersIn(gold);
  const name = lastNamed(record.doc, gold);
  if (name !== null && normaliseTitle(gold) === normaliseTitle(name)) {
    const said = lastNamed(record.doc, response);
    return exact(said !== null && normaliseTitle(said) === normaliseTitle(name));
  }
  if (numbers.length === 0) {
    return exact(normaliseTitle(response).includes(normaliseTitle(gold)));
  }
  const found = numbersIn(response);
  const right = numbers.filter((number) => holdsNumber(found, number)).length;
  return record.level === 4 ? (100 * right) / numbers.length : exact(right === numbers.length);
}

/** The document whose name stands last in a text; of names within others the longest. */
function lastNamed(names: readonly string[], text: string): string | null {
  const within = normaliseTitle(text);
  let best: { readonly name: string; readonly end: number; readonly size: number } | null = null;
  for (const name of names) {
    const key = normaliseTitle(name);
    const at = key === '' ? -1 : within.lastIndexOf(key);
    if (at < 0) continue;
    const end = at + key.length;
    if (best === null || end > best.end || (end === best.end && key.length > best.size)) {
      best = { name, end, size: key.length };
    }
  }
  return best?.name ?? null;
}
