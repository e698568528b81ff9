import type { ChatMessage } from './chat.js';
import { createTokenCounter } from './token-counter.js';

/** Tokens that a chat format puts around each message, and before the answer. */
const tokensPerMessage = 4;
const tokensBeforeAnswer = 3;

/** Counts that are kept; the oldest go first. */
const keptCounts = 20_000;

/**
 * A run without blanks is cut after this many characters: merging one word takes time that grows
 * with the square of its length, so that a megabyte of one letter would take hours.
 */
const longestRun = 256;
/** After so many characters of a text other work gets its turn. */
const turnLength = 1 << 16;

/**
 * Tokens of a text in the encoding o200k_base: exact for models with that encoding, an estimate for
 * others (see {@link createTokenFactor}). Words of more than 256 characters are cut, which adds a
 * token per cut at most. Names of special tokens in the text count as the plain text that they are.
 *
 * @param text - of any length; counts are kept by content.
 */
export const countTokens: (text: string) => Promise<number> = createTokenCounter({
  ...{ load: loadEncoding, pieces, keptCounts, turnLength },
});

/** Characters (UTF-16) of a conversation. */
export function characterCount(messages: readonly ChatMessage[]): number {
  let size = 0;
  for (const { content } of messages) size += content.length;
  return size;
}

/**
 * Tokens of a conversation: those of its texts, four for each message and three before the answer.
 *
 * Source: OpenAI cookbook, "How to count tokens with tiktoken"; formats of other models differ by a
 * few tokens a message.
 */
export async function countMessages(messages: readonly ChatMessage[]): Promise<number> {
  const around = tokensBeforeAnswer + tokensPerMessage * messages.length;
  return around + (await countTexts(messages.map(({ content }) => content)));
}

/** Tokens of texts together. */
export async function countTexts(texts: readonly string[]): Promise<number> {
  let tokens = 0;
  for (const text of texts) tokens += await countTokens(text);
  return tokens;
}

/** What one count of ours is in tokens of the server. */
export interface TokenFactor {
  /** Median of the ratios seen and of 1; 1 while nothing is learned. */
  readonly value: number;
  /** Ratios that went into it. */
  readonly seen: number;
  /** Takes the counts of one response; ignored once 20 are in, and for short prompts. */
  learn(ourTokens: number, serverTokens: number): void;
  /** Our count in tokens of the server, rounded up. */
  estimate(ourTokens: number): number;
}

/** Responses that are learned from. */
const learnedResponses = 20;
/** Below it, what a chat format adds outweighs the tokenizer. */
const shortestPrompt = 200;

/**
 * A factor between our counts and those of a server, learned from its first 20 responses with
 * prompts of at least 200 tokens.
 *
 * `factor = median(1, server_1 / ours_1, ..., server_n / ours_n)`
 *
 * The 1 keeps one odd first response from setting it alone.
 */
export function createTokenFactor(): TokenFactor {
  const ratios = [1];
  let value = 1;
  return {
    get value() {
      return value;
    },
    get seen() {
      return ratios.length - 1;
    },
    learn(ourTokens, serverTokens) {
      if (ratios.length > learnedResponses || ourTokens < shortestPrompt) return;
      if (!(serverTokens > 0)) return;
      ratios.push(serverTokens / ourTokens);
      value = median(ratios);
    },
    estimate: (ourTokens) => Math.ceil(ourTokens * value),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}

async function loadEncoding(): Promise<(text: string) => number> {
  const { default: api } = await import('gpt-tokenizer/encoding/o200k_base');
  const plain = { disallowedSpecial: new Set<string>() };
  return (text) => api.countTokens(text, plain);
}

/** The text in pieces whose counts add up: cut before a word, or inside long runs. */
function* pieces(text: string): Generator<string> {
  let start = 0;
  let runStart = 0;
  let isBlankRun = false;
  for (let index = 0; index < text.length; index += 1) {
    const isBlank = text.charCodeAt(index) <= 32;
    if (isBlank !== isBlankRun) {
      if (isBlank && index - start >= turnLength / 8 && isBeforeWord(text, index)) {
        yield text.slice(start, index);
        start = index;
      }
      isBlankRun = isBlank;
      runStart = index;
    } else if (index - runStart >= longestRun && !isLowSurrogate(text.charCodeAt(index))) {
      yield text.slice(start, index);
      start = index;
      runStart = index;
    }
  }
  yield text.slice(start);
}

/** Whether a space and a letter follow: there the encoding always begins a new piece. */
function isBeforeWord(text: string, index: number): boolean {
  return text[index] === ' ' && /^[a-z]/i.test(text[index + 1] ?? '');
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
