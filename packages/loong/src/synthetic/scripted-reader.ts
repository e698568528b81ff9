/**
 * A reader and a judge that follow rules: for demonstrations and tests, not models.
 */
import { createScriptedClient, type LlmClient, type TokenUsage } from '@lab/llm';
import { type Construction, goldOf } from '../build/operations.js';
import { tableFacts } from '../build/table-facts.js';
import type { LoongRecord } from '../record.js';
import { normaliseTitle } from '../rules/normalise.js';
import { countTokens } from '../tokens.js';

/** Settings of {@link createTableReader}. */
export interface TableReaderOptions {
  /** The questions that it understands: those that `build` made. */
  readonly records: readonly LoongRecord[];
  /** Tokens of documents that it sees, from the beginning; all that stands behind is lost on it. */
  readonly windowTokens: number;
  readonly model?: string | undefined;
}

/** What a question asks, without any value. */
type Asked = Omit<Construction, 'values'>;

/**
 * A scripted client that reads the tables of the documents in its window and works the answer out,
 * as a careful reader with a short memory would. It knows what each question asks, and no value.
 */
export function createTableReader(options: TableReaderOptions): LlmClient {
  const { records, windowTokens, model = `scripted-reader-${windowTokens / 1000}k` } = options;
  const asked = new Map<string, Asked>();
  for (const { question, construction } of records) {
    if (construction === undefined) continue;
    const { values: _, ...rest } = construction as unknown as Construction;
    asked.set(question, rest);
  }
  return createScriptedClient({
    model,
    answer: async ({ messages }) => {
      const prompt = messages.at(-1)?.content ?? '';
      const question = prompt.slice(prompt.lastIndexOf('\n') + 1);
      const what = asked.get(question);
      const text =
        what === undefined
          ? 'I do not know.'
          : JSON.stringify(
              goldOf({ ...what, values: await seenValues(prompt, what, windowTokens) }),
            );
      return { text, usage: await usageOf(prompt, text) };
    },
  });
}

async function usageOf(prompt: string, text: string): Promise<TokenUsage> {
  const [read, written] = [await countTokens(prompt), await countTokens(text)];
  return { prompt: read, completion: written, cached: 0, reasoning: 0, isEstimated: false };
}

const headingPattern = /^《(.+)》$/gm;

/** Values of the attribute in documents that lie wholly in the window. */
async function seenValues(
  prompt: string,
  { operation, attribute, periods }: Asked,
  windowTokens: number,
): Promise<Record<string, number | string>> {
  const name = operation === 'trend' ? attribute.replace(/^.*: /, '') : attribute;
  const values: Record<string, number | string> = {};
  let tokens = 0;
  for (const { title, block } of blocksIn(prompt)) {
    tokens += await countTokens(block);
    if (tokens > windowTokens) break;
    const fact = tableFacts(title, block).find((one) => one.attribute === name);
    if (fact !== undefined) values[title] = fact.value;
  }
  if (periods === undefined) return values;
  return Object.fromEntries(
    Object.entries(values).filter(([title]) => Object.hasOwn(periods, title)),
  );
}

/** The documents of a prompt with their titles; what follows the last one belongs to it. */
function blocksIn(prompt: string): { readonly title: string; readonly block: string }[] {
  const found = [...prompt.matchAll(headingPattern)];
  return found.map(({ index, 1: title = '' }, at) => ({
    title,
    block: prompt.slice(index, found[at + 1]?.index ?? documentsEnd(prompt)),
  }));
}

/** Where instruction and question begin: the last two paragraphs. */
function documentsEnd(prompt: string): number {
  const last = prompt.lastIndexOf('\n\n');
  return prompt.lastIndexOf('\n\n', last - 1) + 2;
}

/**
 * A scripted judge: 100 for an answer that says the same as the gold one, else the F1 of the things
 * that both name, rounded down.
 */
export function createRuleJudge(model = 'scripted-judge'): LlmClient {
  return createScriptedClient({
    model,
    answer: async ({ messages }) => {
      const prompt = messages[0]?.content ?? '';
      const isOrdered = orderAsked.test(blockOf(prompt, 'question'));
      const score = overlapScore(blockOf(prompt, 'gold'), blockOf(prompt, 'answer'), isOrdered);
      const text = `Compared by rule, not by a model.\nRating: [[${score}]]`;
      return { text, usage: await usageOf(prompt, text) };
    },
  });
}

function blockOf(prompt: string, name: string): string {
  const found = new RegExp(`<<<(#*DATA ${name})\\n([\\s\\S]*?)\\n\\1>>>`).exec(prompt);
  return found?.[2] ?? '';
}

/** Questions whose list has an order. */
export const orderAsked = /in the order of|排序/;

/** The score of {@link createRuleJudge}: 100 where both name the same things. */
export function overlapScore(gold: string, answer: string, isOrdered: boolean): number {
  const [left, right] = [gold, answer].map((text) => new Set(thingsIn(text, isOrdered)));
  const both = [...left!].filter((thing) => right!.has(thing)).length;
  const all = left!.size + right!.size;
  if (2 * both === all) return 100;
  return Math.min(99, Math.floor((200 * both) / all));
}

/** Values of JSON with the keys that they stand under, else words. */
function thingsIn(text: string, isOrdered: boolean): string[] {
  try {
    return leavesOf(JSON.parse(text), '', isOrdered);
  } catch {
    return text.split(/\s+/).map(normaliseTitle);
  }
}

function leavesOf(value: unknown, key: string, isOrdered: boolean): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, at) => leavesOf(item, isOrdered ? `${key}/${at}` : key, isOrdered));
  }
  if (typeof value !== 'object' || value === null) return [`${key}\n${String(value)}`];
  return Object.entries(value).flatMap(([name, item]) =>
    leavesOf(item, `${key}/${name}`, isOrdered),
  );
}
