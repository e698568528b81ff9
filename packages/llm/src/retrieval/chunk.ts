import { ConfigError } from '@lab/core';
import { countTokens } from '../tokens.js';

/** A part of a text: `text.slice(start, end)`. */
export interface Chunk {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Sum over its sentences, at most a few more than of the chunk at once. */
  readonly tokens: number;
}

/** Settings of {@link chunkText}. */
export interface ChunkOptions {
  /** Tokens of a chunk at most; default 256. */
  readonly maxTokens?: number;
  /** Tokens that neighbours share at most, in whole sentences; default 32. */
  readonly overlapTokens?: number;
  /** Language of the text, for its sentences; default `en`. */
  readonly locale?: string;
}

interface Span {
  readonly start: number;
  readonly end: number;
  readonly tokens: number;
}

/**
 * A text in chunks of whole sentences that overlap by whole sentences. A sentence that is too long
 * by itself is cut between words, and a word that is too long between characters. Every character
 * is in a chunk, but blanks around them.
 *
 * @param text - of any language that `Intl.Segmenter` knows.
 * @throws {ConfigError} where the overlap is not smaller than the chunks.
 */
export async function chunkText(text: string, options: ChunkOptions = {}): Promise<Chunk[]> {
  const { maxTokens = 256, overlapTokens = 32, locale = 'en' } = options;
  if (!(maxTokens >= 1 && overlapTokens >= 0 && overlapTokens < maxTokens)) {
    throw new ConfigError(
      `llm/retrieval: chunks of ${maxTokens} tokens cannot overlap by ${overlapTokens}.`,
      { help: 'Let overlapTokens be 0 or more and smaller than maxTokens.' },
    );
  }
  const sentences: Span[] = [];
  for (const { index, segment } of split(text, locale, 'sentence')) {
    sentences.push(...(await fitting(segment, index, { maxTokens, locale })));
  }
  const chunks: Chunk[] = [];
  let first = 0;
  while (first < sentences.length) {
    const end = endOfChunk(sentences, first, maxTokens);
    const chunk = chunkOf(text, sentences.slice(first, end));
    if (chunk) chunks.push(chunk);
    if (end === sentences.length) break;
    first = startOfNext(sentences, first, end, overlapTokens);
  }
  return chunks;
}

function endOfChunk(sentences: readonly Span[], first: number, maxTokens: number): number {
  let tokens = 0;
  let end = first;
  while (end < sentences.length && tokens + sentences[end]!.tokens <= maxTokens) {
    tokens += sentences[end]!.tokens;
    end += 1;
  }
  return Math.max(end, first + 1);
}

/** As many sentences before the end as fit into the overlap, but never the whole chunk again. */
function startOfNext(
  sentences: readonly Span[],
  first: number,
  end: number,
  overlapTokens: number,
): number {
  let tokens = 0;
  let start = end;
  while (start - 1 > first && tokens + sentences[start - 1]!.tokens <= overlapTokens) {
    start -= 1;
    tokens += sentences[start]!.tokens;
  }
  return start;
}

function chunkOf(text: string, sentences: readonly Span[]): Chunk | undefined {
  const from = sentences[0]!.start;
  const raw = text.slice(from, sentences.at(-1)!.end);
  const trimmed = raw.trim();
  if (trimmed === '') return undefined;
  const start = from + raw.length - raw.trimStart().length;
  const tokens = sentences.reduce((sum, sentence) => sum + sentence.tokens, 0);
  return { text: trimmed, start, end: start + trimmed.length, tokens };
}

/** The sentence in parts that fit into a chunk. */
async function fitting(
  sentence: string,
  start: number,
  { maxTokens, locale }: { maxTokens: number; locale: string },
): Promise<Span[]> {
  const tokens = await countTokens(sentence);
  if (tokens <= maxTokens) return [{ start, end: start + sentence.length, tokens }];
  const spans: Span[] = [];
  let last = { start, end: start, tokens: 0 };
  for (const { index, segment } of split(sentence, locale, 'word')) {
    for (const part of await shortWords(segment, start + index, maxTokens)) {
      if (last.tokens + part.tokens > maxTokens) {
        spans.push(last);
        last = { start: part.start, end: part.start, tokens: 0 };
      }
      last = { start: last.start, end: part.end, tokens: last.tokens + part.tokens };
    }
  }
  return [...spans, last];
}

async function shortWords(word: string, start: number, maxTokens: number): Promise<Span[]> {
  const tokens = await countTokens(word);
  const characters = [...word];
  if (tokens <= maxTokens || characters.length === 1) {
    return [{ start, end: start + word.length, tokens }];
  }
  const half = characters.slice(0, characters.length >> 1).join('');
  return [
    ...(await shortWords(half, start, maxTokens)),
    ...(await shortWords(word.slice(half.length), start + half.length, maxTokens)),
  ];
}

function split(text: string, locale: string, granularity: 'sentence' | 'word'): Intl.Segments {
  return new Intl.Segmenter(locale, { granularity }).segment(text);
}
