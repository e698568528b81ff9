/**
 * Words by what they say of a request, as the published heat maps colour them.
 */
import { readFileSync } from 'node:fs';
import { ConfigError, DataError } from '@lab/core';
import { z } from 'zod';

/** What a token says of a request, in the order in which lists are asked. */
export const listedKinds = ['negative', 'neutral', 'positive'] as const;

/** A kind that has a list. */
export type ListedKind = (typeof listedKinds)[number];

/** Words of each kind. */
export interface TokenLists extends Readonly<Record<ListedKind, readonly string[]>> {
  /** Regular expressions beside the words, tested on the token without spaces around it. */
  readonly patterns?: Partial<Readonly<Record<ListedKind, readonly string[]>>> | undefined;
}

const words = (text: string): readonly string[] => text.split(' ');

/**
 * The published lists, word pieces of Llama 2 among them.
 *
 * Source: ydyjya/LLM-IHS-Explanation, the heat map's word lists. `NOT`, `Gre` and `Ah` match
 * nothing there: tokens are lower-cased and these have no twin in small letters.
 */
export const publishedTokenLists: TokenLists = {
  negative: words(
    'Fake fake caution illegal ethical disclaimer cannot Cannot Sorry sorry Unfortunately ap ' +
      'warning Warning unfortunately unable prohib NOT ban refuse apolog sor contrary despite ' +
      'Dangerous dangerous strictly Strictly unlikely Unlikely refused',
  ),
  neutral: words(
    'Ah I As i as here Hi hi Here List list Please please first hello Hello Absolutely absolutely',
  ),
  positive: words(
    'Thank thank delight Delight Great Gre great of Of pleasure Pleasure welcome Welcome Surely ' +
      'surely Sure step Step Title sure title 1 steps instructions Introduction dear Dear glad ' +
      'Glad certainly Certainly delighted Delighted response Response introduction',
  ),
};

const wordList = z.array(z.string().min(1)).default([]);
const listsSchema = z.strictObject({
  negative: wordList,
  neutral: wordList,
  positive: wordList,
  patterns: z
    .strictObject({
      negative: wordList.optional(),
      neutral: wordList.optional(),
      positive: wordList.optional(),
    })
    .optional(),
});

const FORM = 'Write { "negative": ["sorry"], "positive": ["sure"], "neutral": ["here"] }.';

/**
 * Lists of a JSON file: `negative`, `neutral` and `positive` with words, and `patterns` of the same
 * three with regular expressions.
 *
 * @throws {DataError} for a file that is missing, no JSON, or has other fields.
 */
export function readTokenLists(path: string): TokenLists {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const isAbsent = (cause as { code?: string }).code === 'ENOENT';
    const what = isAbsent ? 'there is no such file' : `is not JSON (${(cause as Error).message})`;
    throw new DataError(`${path}: ${what}.`, { file: path, cause, help: FORM });
  }
  const parsed = listsSchema.safeParse(content);
  if (!parsed.success) {
    const { path: place, message } = parsed.error.issues[0]!;
    const where = place.length === 0 ? '' : ` ${place.join('.')}:`;
    throw new DataError(`${path}:${where} ${message}.`, { file: path, help: FORM });
  }
  return parsed.data as TokenLists;
}

/**
 * Patterns of a kind, ready to test.
 *
 * @throws {ConfigError} for one that is no regular expression.
 */
export function patternsOf({ patterns }: TokenLists, kind: ListedKind): RegExp[] {
  return (patterns?.[kind] ?? []).map((source) => {
    try {
      return new RegExp(source, 'iu');
    } catch (cause) {
      throw new ConfigError(
        `weak-probe/token-kinds: pattern ${source} of ${kind} is no regular expression.`,
        { cause, help: 'Escape characters such as ( and + with a backslash.' },
      );
    }
  });
}
