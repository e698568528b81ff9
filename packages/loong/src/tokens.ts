/**
 * Tokens in the encoding cl100k_base, in which the benchmark measures lengths.
 */
import { createTokenCounter } from '@lab/llm';

/** Counts that are kept; the oldest go first. */
const keptCounts = 50_000;
/** After so many characters other work gets its turn. */
const turnLength = 1 << 17;
/**
 * A run of letters without any break is cut after so many characters: merging one takes time that
 * grows with the square of its length.
 */
const longestRun = 8192;

/**
 * Tokens of a text in cl100k_base, as tiktoken counts them; names of special tokens count as the
 * plain text that they are. Runs of more than 8,192 letters without a break are cut, which adds a
 * token a cut at most.
 *
 * @param text - of any length; counts are kept by content.
 */
export const countTokens: (text: string) => Promise<number> = createTokenCounter({
  ...{ load: loadEncoding, pieces, keptCounts, turnLength },
});

async function loadEncoding(): Promise<(text: string) => number> {
  const { default: api } = await import('gpt-tokenizer/encoding/cl100k_base');
  const plain = { disallowedSpecial: new Set<string>() };
  return (text) => api.countTokens(text, plain);
}

/**
 * Where a text can be cut so that the counts of its parts add up: behind a line feed, before a
 * character that is no blank. There the encoding always begins a new piece.
 */
const isSafe = (text: string, index: number): boolean =>
  text[index - 1] === '\n' && /\S/.test(text[index] ?? '');

/** The text in parts of some thousand characters whose counts add up. */
function* pieces(text: string): Generator<string> {
  const partLength = 1 << 13;
  let start = 0;
  let lineEnd = text.indexOf('\n', partLength);
  while (lineEnd >= 0) {
    const at = lineEnd + 1;
    if (at - start >= partLength && isSafe(text, at)) {
      yield* shortRuns(text.slice(start, at));
      start = at;
      lineEnd = text.indexOf('\n', start + partLength);
    } else lineEnd = text.indexOf('\n', at);
  }
  yield* shortRuns(text.slice(start));
}

const longRuns = new RegExp(
  ['\\p{L}', '[^\\s\\p{L}\\p{N}]', '\\s'].map((kind) => `${kind}{${longestRun + 1},}`).join('|'),
  'gu',
);

/** The text itself, or parts of it where it holds a run that is too long. */
function* shortRuns(text: string): Generator<string> {
  let start = 0;
  if (text.length > longestRun) {
    for (const { index, 0: run } of text.matchAll(longRuns)) {
      for (let at = index + longestRun; at < index + run.length; at += longestRun) {
        const code = text.charCodeAt(at);
        const end = code >= 0xdc00 && code <= 0xdfff ? at + 1 : at; // not within surrogates
        yield text.slice(start, end);
        start = end;
      }
    }
  }
  yield text.slice(start);
}

/**
 * Tokens of texts that are put one behind the other, as of the whole text, without counting each
 * again: only what stands around a joint is, where tokens may reach over it.
 */
export async function countJoined(texts: readonly string[]): Promise<number> {
  const parts = texts.filter((text) => text !== '');
  let tokens = 0;
  let open = '';
  for (const part of parts) {
    if (open === '') {
      open = part;
      continue;
    }
    const isApart = open.endsWith('\n') && /^\S/.test(part);
    if (isApart) {
      tokens += await countTokens(open);
      open = part;
      continue;
    }
    // The end of what was before from its last safe cut, and the start of the next up to its first.
    const cut = lastCut(open);
    const next = firstCut(part);
    if (cut > 0) tokens += (await countTokens(open)) - (await countTokens(open.slice(cut)));
    const joint = open.slice(cut) + part.slice(0, next);
    if (next === part.length) open = joint;
    else {
      tokens += await countTokens(joint);
      open = part.slice(next);
    }
  }
  return tokens + (await countTokens(open));
}

function lastCut(text: string): number {
  for (let at = text.lastIndexOf('\n'); at >= 0; at = text.lastIndexOf('\n', at - 1)) {
    if (at + 1 < text.length && isSafe(text, at + 1)) return at + 1;
    if (at === 0) break;
  }
  return 0;
}

function firstCut(text: string): number {
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    if (at + 1 < text.length && isSafe(text, at + 1)) return at + 1;
  }
  return text.length;
}

/** Counts tokens of texts, of prompts, and of what a chat adds to a prompt. */
export interface TokenCounter {
  /** Names it in the settings of a run. */
  readonly name: 'cl100k_base' | 'server';
  /** Of a text by itself. */
  count(text: string): Promise<number>;
  /** Of texts that are put one behind the other, as a prompt. */
  joined(texts: readonly string[]): Promise<number>;
  /** What the form of a chat adds to each prompt. */
  overhead(): Promise<number>;
}

/** Counts as the benchmark does: texts alone, in cl100k_base. */
export const cl100kCounter: TokenCounter = {
  name: 'cl100k_base',
  count: countTokens,
  joined: countJoined,
  overhead: () => Promise.resolve(0),
};
