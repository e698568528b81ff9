/**
 * Where instruction, prompt and answer stand among the tokens of a conversation.
 */
import { ConfigError, DataError } from '@lab/core';
import type { ChatMessage } from './chat-template.js';
import {
  assertPrompt,
  assertTokens,
  conversationText,
  isBegunTwice,
  type PromptFormatOptions,
  promptText,
  withOpening,
} from './prompt-format.js';
import type { TextRange } from './token-offsets.js';
import type { Tokenizer } from './tokenizer.js';

/** Tokens from one to before another. */
export type TokenSpan = readonly [start: number, end: number];

/** How {@link promptSpans} writes a conversation. */
export interface PromptSpanOptions extends Pick<PromptFormatOptions, 'opening' | 'system'> {
  /**
   * As of {@link encodePrompt}; of messages `chat`, the model's own template and default, or a name
   * of FastChat.
   */
  readonly format?: string | undefined;
  /** Answer that stands right behind the prompt, without a space put before it. */
  readonly answer?: string | undefined;
}

/** A conversation in tokens, and where its parts stand. */
export interface PromptSpans {
  readonly text: string;
  readonly ids: number[];
  /** What the user said last, white space at its ends left out; the last token is `end - 1`. */
  readonly instruction: TokenSpan;
  /** All through the header of the answer: from 0; the last token is `end - 1`. */
  readonly prompt: TokenSpan;
  /**
   * The answer, with the space put before an opening, without what ends its turn; empty behind the
   * prompt where there is none.
   */
  readonly answer: TokenSpan;
}

/**
 * Token spans of the last instruction, of the prompt and of its answer.
 *
 * A token belongs to a part that it holds a character of, if only some bytes of one; so a word that
 * goes with the space before it is one of the instruction's. A token that lies across the end of
 * the prompt is the answer's, and of no part before it. This is the rule of
 * `return_assistant_tokens_mask` in `transformers`; there further bytes of the last character are
 * left out.
 *
 * @param given - the prompt, written as {@link encodePrompt} does; or messages, of which the last
 *   is the user's, or the assistant's, which is the answer then.
 * @throws {ConfigError} as {@link encodePrompt}, and for an answer that is given twice.
 * @throws {DataError} for a prompt that is blank or has no tokens, messages without an instruction,
 *   a conversation that the template refuses, and a template that leaves a message out.
 */
export function promptSpans(
  tokenizer: Tokenizer,
  given: readonly ChatMessage[] | string,
  options: PromptSpanOptions = {},
): PromptSpans {
  const places = writtenPlaces(tokenizer, given, options);
  const { text, isBare } = places;
  const encoded = tokenizer.encodeWithOffsets(text, { addSpecialTokens: !isBare });
  const from = isBegunTwice(encoded.ids, tokenizer) ? 1 : 0;
  const ids = encoded.ids.slice(from);
  assertTokens(ids);
  const offsets = encoded.offsets.slice(from);
  const answer = places.answer === null ? null : spanOf(offsets, places.answer);
  const behind = offsets.findIndex((range) => range !== null && range[1] > places.promptEnd);
  const hasRest = places.promptEnd < text.length && behind >= 0;
  const promptEnd = Math.min(hasRest ? behind : ids.length, answer?.[0] ?? ids.length);
  const [start, end] = spanOf(offsets, places.instruction);
  return {
    ...{ text, ids, prompt: [0, promptEnd] },
    instruction: [Math.min(start, promptEnd), Math.min(end, promptEnd)],
    answer: answer ?? [promptEnd, promptEnd],
  };
}

/** Tokens that hold a character of a range; none before the first one behind, where none does. */
function spanOf(offsets: readonly (TextRange | null)[], [start, end]: TextRange): TokenSpan {
  const holds = (range: TextRange | null) => range !== null && range[1] > start && range[0] < end;
  const first = offsets.findIndex(holds);
  if (first >= 0) return [first, offsets.findLastIndex(holds) + 1];
  const behind = offsets.findIndex((range) => range !== null && range[0] >= end);
  const place = behind < 0 ? offsets.length : behind;
  return [place, place];
}

/** A conversation as text, with the ranges of its parts in it. */
interface WrittenPlaces {
  readonly text: string;
  /** Whether it has its special tokens in it. */
  readonly isBare: boolean;
  readonly instruction: TextRange;
  readonly promptEnd: number;
  readonly answer: TextRange | null;
}

function writtenPlaces(
  tokenizer: Tokenizer,
  given: readonly ChatMessage[] | string,
  options: PromptSpanOptions,
): WrittenPlaces {
  if (typeof given !== 'string') return conversationPlaces(tokenizer, given, options);
  assertPrompt(given);
  const prompt = promptText(tokenizer, given, options);
  const instruction = placeOf(given, (one) => promptText(tokenizer, one, options));
  return answered({ prompt, instruction, isBare: options.format === 'chat' }, options);
}

function conversationPlaces(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  options: PromptSpanOptions,
): WrittenPlaces {
  const { format = 'chat', system } = options;
  const last = messages.at(-1);
  const isAnswered = last?.role === 'assistant';
  const turns = isAnswered ? messages.slice(0, -1) : messages;
  const asked = turns.at(-1);
  if (asked?.role !== 'user') {
    throw new DataError(
      `transformer/spans: the last instruction is of ${asked?.role ?? 'no one'}, not of the user.`,
      { help: 'End with a message of the user, or of the user and the assistant.' },
    );
  }
  if (system !== undefined || (isAnswered && hasAnswer(options))) {
    const what = system === undefined ? 'the answer' : 'a text of the system';
    throw new ConfigError(`transformer/spans: ${what} is given beside messages.`, {
      help: 'Give it as a message.',
    });
  }
  const written = (content: string, more: readonly ChatMessage[]) =>
    conversationText(tokenizer, [...turns.slice(0, -1), { ...asked, content }, ...more], format);
  const prompt = written(asked.content, []);
  const instruction = placeOf(asked.content, (one) => written(one, []));
  const isBare = format === 'chat';
  if (!isAnswered) return answered({ prompt, instruction, isBare }, options);
  const text = written(asked.content, [last]);
  const answer = placeOf(last.content, (content) => written(asked.content, [{ ...last, content }]));
  const isSame = text.startsWith(prompt);
  return {
    ...{ text, isBare, answer, promptEnd: isSame ? prompt.length : answer[0] },
    instruction: isSame ? instruction : placeOf(asked.content, (one) => written(one, [last])),
  };
}

const hasAnswer = ({ answer, opening }: PromptSpanOptions) =>
  answer !== undefined || opening !== undefined;

/** A prompt with the answer that the options give. */
function answered(
  {
    prompt,
    ...places
  }: { readonly prompt: string } & Pick<WrittenPlaces, 'instruction' | 'isBare'>,
  options: PromptSpanOptions,
): WrittenPlaces {
  const { answer, opening } = options;
  if (answer !== undefined && opening !== undefined) {
    throw new ConfigError('transformer/spans: both an answer and its opening are given.', {
      help: 'Give one: an opening has a space put before it where there is none.',
    });
  }
  const text = answer === undefined ? withOpening(prompt, opening) : `${prompt}${answer}`;
  return {
    ...{ ...places, text, promptEnd: prompt.length },
    answer: hasAnswer(options) ? [prompt.length, text.length] : null,
  };
}

/** Two letters of the private use area: no template treats them, or strips them. */
const MARK = '\u{e0f0}\u{e0f1}';

/**
 * Where a text stands, white space at its ends left out: what is before it and behind it is what
 * another text would stand between, so that the same words elsewhere are not taken for it.
 */
function placeOf(content: string, write: (content: string) => string): TextRange {
  const [text, marked] = [write(content), write(MARK)];
  const at = marked.lastIndexOf(MARK);
  const behind = marked.slice(at + MARK.length);
  const isBetween =
    at >= 0 &&
    at + behind.length <= text.length &&
    text.startsWith(marked.slice(0, at)) &&
    text.endsWith(behind);
  if (isBetween) return trimmed(text, [at, text.length - behind.length]);
  // A template that asks what the text is like may write others in another way.
  const own = content.trim();
  const place = own === '' ? -1 : text.lastIndexOf(own);
  if (place >= 0) return [place, place + own.length];
  throw new DataError('transformer/spans: the template does not write a message as it is.', {
    help: 'Take another format, or leave out what the template treats in a way of its own.',
  });
}

function trimmed(text: string, [start, end]: TextRange): TextRange {
  const own = text.slice(start, end);
  const begin = start + own.length - own.trimStart().length;
  return [begin, Math.max(begin, start + own.trimEnd().length)];
}
