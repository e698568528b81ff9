/**
 * Texts, and prompts with their answers, as token ids with what is to be foretold of them.
 */
import { DataError } from '@lab/core';
import type { ChatMessage } from '../chat-template.js';
import type { Tokenizer } from '../tokenizer.js';
import type { TokenExample } from './trainable-model.js';

/** What a model is trained on. */
export type TrainingExample =
  /** Every token of the text is to be foretold. */
  | { readonly text: string }
  /** Tokens of the answer are. */
  | { readonly prompt: string; readonly answer: string }
  /** Tokens of what the assistant says are. */
  | { readonly messages: readonly ChatMessage[] }
  /** Token ids; those from `promptLength` on are, default all. */
  | { readonly ids: ArrayLike<number>; readonly promptLength?: number | undefined }
  /** Of a T5: ids for the encoder, and what its decoder is to write, with the end. */
  | { readonly ids: ArrayLike<number>; readonly answerIds: ArrayLike<number> };

/** How examples become tokens. */
export interface ExampleRules {
  readonly kind: 'decoder' | 't5';
  readonly tokenizer: Tokenizer | null;
  readonly vocabularySize: number;
  readonly maxTokens: number;
  readonly tooLong: 'refuse' | 'split' | 'truncate';
  readonly template: 'auto' | 'chat' | 'none';
}

/** Where an example stands, for messages. */
export interface ExamplePlace {
  /** Such as `pairs.jsonl line 3`. */
  readonly where: string;
  readonly file?: string | undefined;
  /** In the file. */
  readonly line?: number | undefined;
  /** Of the line or of the example, from 1. */
  readonly origin: number;
}

/** Ids before they are cut. */
interface Tokens {
  readonly ids: number[];
  readonly isTarget: number[];
}

/** Counts of what was too long. */
export interface LengthCounts {
  truncated: number;
  split: number;
  /** Tokens that were cut away. */
  cutTokens: number;
}

/** The examples so far, with counts. */
export interface EncodedExamples extends LengthCounts {
  readonly examples: TokenExample[];
}

/** No examples yet. */
export const noExamples = (): EncodedExamples => ({
  ...{ examples: [], truncated: 0, split: 0, cutTokens: 0 },
});

/**
 * Adds an example in tokens.
 *
 * @throws {DataError} for one without tokens to foretell, or too long where that is refused.
 */
export function addExample(
  all: EncodedExamples,
  example: TrainingExample,
  rules: ExampleRules,
  place: ExamplePlace,
): void {
  if (rules.kind === 't5') {
    all.examples.push(t5Example(all, example, rules, place));
    return;
  }
  const tokens = decoderTokens(example, rules, place);
  assertIds(tokens.ids, rules, place);
  for (const piece of fitting(all, tokens, rules, place)) {
    if (piece.isTarget.includes(1, 1)) all.examples.push(ofTokens(piece, place));
    else throw problem(place, 'has no token to foretell', 'Leave it out, or give it more text.');
  }
}

const ofTokens = ({ ids, isTarget }: Tokens, { origin }: ExamplePlace): TokenExample => ({
  ...{ ids: Int32Array.from(ids), isTarget: Uint8Array.from(isTarget), answer: null, origin },
});

const problem = (place: ExamplePlace, what: string, help: string, field?: string) =>
  new DataError(`${place.where}: ${what}.`, {
    ...{ file: place.file, line: place.line, field, help },
  });

function assertIds(ids: readonly number[], { vocabularySize }: ExampleRules, place: ExamplePlace) {
  const at = ids.findIndex((id) => !(Number.isInteger(id) && id >= 0 && id < vocabularySize));
  if (at < 0) return;
  const what = `token ${at} has the id ${ids[at]}, the vocabulary has ${vocabularySize}`;
  throw problem(place, what, 'Take the tokenizer of this model.');
}

function needed(rules: ExampleRules, place: ExamplePlace): Tokenizer {
  if (rules.tokenizer !== null) return rules.tokenizer;
  throw problem(place, 'is a text, and there is no tokenizer', 'Give one, or examples of ids.');
}

const parted = (prompt: readonly number[], answer: readonly number[]): Tokens => ({
  ids: [...prompt, ...answer],
  isTarget: [...prompt.map(() => 0), ...answer.map(() => 1)],
});

function decoderTokens(example: TrainingExample, rules: ExampleRules, place: ExamplePlace): Tokens {
  if ('ids' in example) {
    if ('answerIds' in example) {
      throw problem(place, 'has answerIds, which only a T5 takes', 'Give ids and promptLength.');
    }
    const ids = Array.from(example.ids);
    const from = example.promptLength ?? 0;
    return { ids, isTarget: ids.map((_, at) => (at >= from ? 1 : 0)) };
  }
  const tokenizer = needed(rules, place);
  const ended = (ids: number[]) =>
    tokenizer.endId === null || ids.at(-1) === tokenizer.endId ? ids : [...ids, tokenizer.endId];
  if ('text' in example) return parted([], ended(tokenizer.encode(example.text)));
  if ('messages' in example) return conversation(example.messages, tokenizer, place);
  const { prompt, answer } = example;
  const hasTemplate = tokenizer.chat.names.length > 0;
  if (rules.template === 'chat' || (rules.template === 'auto' && hasTemplate)) {
    const messages = [
      { role: 'user', content: prompt },
      { role: 'assistant', content: answer },
    ];
    return conversation(messages, tokenizer, place);
  }
  const asked = tokenizer.encode(prompt);
  const open = asked.at(-1) === tokenizer.endId ? asked.slice(0, -1) : asked;
  return parted(open, ended(tokenizer.encode(answer, { addSpecialTokens: false })));
}

/** A conversation as its template writes it: what the assistant says is to be foretold. */
function conversation(
  messages: readonly ChatMessage[],
  tokenizer: Tokenizer,
  place: ExamplePlace,
): Tokens {
  const tokens: Tokens = { ids: [], isTarget: [] };
  let done = '';
  const add = (whole: string, isTarget: 0 | 1) => {
    if (!whole.startsWith(done)) {
      const what = 'its chat template writes earlier turns otherwise once later ones are there';
      throw problem(place, what, 'Set data.template to none, or give token ids.');
    }
    const part = whole.slice(done.length);
    // A template writes the special tokens itself.
    const ids = part === '' ? [] : tokenizer.encode(part, { addSpecialTokens: false });
    for (const id of ids) tokens.ids.push(id);
    for (const _ of ids) tokens.isTarget.push(isTarget);
    done = whole;
  };
  const rendered = (count: number, addGenerationPrompt: boolean) => {
    try {
      return tokenizer.chat.render(messages.slice(0, count), { addGenerationPrompt });
    } catch (cause) {
      throw problem(place, (cause as Error).message, 'Change the roles, or set data.template.');
    }
  };
  for (const [at, { role }] of messages.entries()) {
    if (role !== 'assistant') continue;
    if (at > 0) add(rendered(at, true), 0);
    add(rendered(at + 1, false), 1);
  }
  return tokens;
}

/** The tokens in pieces that are not too long, as the rules say. */
function fitting(
  counts: LengthCounts,
  tokens: Tokens,
  rules: ExampleRules,
  place: ExamplePlace,
): Tokens[] {
  const { ids, isTarget } = tokens;
  const { maxTokens, tooLong } = rules;
  if (ids.length <= maxTokens) return [tokens];
  if (tooLong === 'refuse') throw lengthProblem(ids.length, rules, place);
  const first = isTarget.indexOf(1);
  if (tooLong === 'split') {
    if (first !== 0) throw lengthProblem(ids.length, rules, place);
    counts.split += 1;
    return pieces(tokens, maxTokens);
  }
  counts.truncated += 1;
  counts.cutTokens += ids.length - maxTokens;
  const isPair = first > 0 && !isTarget.includes(0, first);
  if (!isPair) return [cut(tokens, 0, maxTokens)];
  // The answer counts, and what stands right before it.
  const room = Math.max(maxTokens - (ids.length - first), 1);
  const start = first - Math.min(room, first);
  return [cut(tokens, start, start + maxTokens)];
}

const cut = ({ ids, isTarget }: Tokens, start: number, end: number): Tokens => ({
  ids: ids.slice(start, end),
  isTarget: isTarget.slice(start, end),
});

/** Pieces that share a token, so that the first of each is foretold in the one before. */
function pieces(tokens: Tokens, most: number): Tokens[] {
  const found: Tokens[] = [];
  for (let start = 0; start + 1 < tokens.ids.length; start += most - 1) {
    found.push(cut(tokens, start, start + most));
  }
  return found;
}

function lengthProblem(
  length: number,
  { maxTokens, tooLong }: ExampleRules,
  place: ExamplePlace,
): DataError {
  const help =
    tooLong === 'split'
      ? 'Prompts with answers cannot be split: set data.tooLong to truncate, or data.maxTokens.'
      : 'Shorten it, raise data.maxTokens, or set data.tooLong to truncate or split.';
  return problem(place, `has ${length} tokens, ${maxTokens} are the most`, help);
}

function t5Example(
  counts: LengthCounts,
  example: TrainingExample,
  rules: ExampleRules,
  place: ExamplePlace,
): TokenExample {
  const { ids, answer } = t5Ids(example, rules, place);
  for (const own of [ids, answer]) assertIds(own, rules, place);
  if (ids.length === 0 || answer.length === 0) {
    throw problem(place, 'has no tokens in its prompt or its answer', 'Leave it out.');
  }
  const longest = Math.max(ids.length, answer.length);
  const most = rules.maxTokens;
  if (longest > most && rules.tooLong !== 'truncate') throw lengthProblem(longest, rules, place);
  if (longest > most) {
    counts.truncated += 1;
    for (const own of [ids, answer]) counts.cutTokens += Math.max(own.length - most, 0);
  }
  // The end stays.
  const shortened = (own: readonly number[]) =>
    own.length <= most ? own : [...own.slice(0, most - 1), own.at(-1)!];
  return {
    ids: Int32Array.from(shortened(ids)),
    isTarget: null,
    answer: Int32Array.from(shortened(answer)),
    origin: place.origin,
  };
}

function t5Ids(example: TrainingExample, rules: ExampleRules, place: ExamplePlace) {
  if ('answerIds' in example) {
    return { ids: Array.from(example.ids), answer: Array.from(example.answerIds) };
  }
  if (!('prompt' in example)) {
    throw problem(place, 'is no prompt with an answer, which a T5 needs', 'Give both.');
  }
  const tokenizer = needed(rules, place);
  return { ids: tokenizer.encode(example.prompt), answer: tokenizer.encode(example.answer) };
}
