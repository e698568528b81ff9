/**
 * Texts to tokens where some tokens stand in the text as they are: these are looked for first, what
 * is between them goes through the steps of the tokenizer.
 */
import type { Tokenizer as TextTokenizer } from '@huggingface/tokenizers';

/** A token of `added_tokens` in tokenizer.json. */
interface AddedToken {
  readonly content: string;
  /** Whether it counts only where no word goes on before and behind it. */
  readonly single_word?: boolean | null;
  /** Whether spaces before it, or behind it, belong to it. */
  readonly lstrip?: boolean | null;
  readonly rstrip?: boolean | null;
  /** Whether it is looked for in the normalised text. */
  readonly normalized?: boolean | null;
}

/** Cuts a text into words of a list and what is between them. */
interface Splitter {
  readonly split: (text: string) => string[];
}

/** The parts of the library's tokenizer that take a text further. */
interface Steps {
  readonly normalizer: ((text: string) => string) | null;
  readonly pre_tokenizer: ((text: string, at: { section_index: number }) => string[]) | null;
  readonly model: (parts: string[]) => string[];
  readonly splitter_unnormalized: Splitter;
  readonly splitter_normalized: Splitter;
  encode_text: (text: string | null) => string[] | null;
}

/** A token that stands in a text, or what is between two of them; from unit `begin` to `end`. */
type Section = { readonly begin: number; readonly end: number } & (
  | { readonly token: AddedToken }
  | { readonly text: string; readonly isAtStart: boolean }
);

/** Finds tokens in a text. */
type Finder = (text: string) => readonly Section[];

/** What finds added tokens: in the text as it is, then in what normalising makes of the rest. */
export interface SectionFinders {
  readonly findPlain: Finder;
  readonly findLater: Finder;
}

const BEFORE = /\p{White_Space}*$/u;
const BEHIND = /^\p{White_Space}*/u;
const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const ENDS_AS_WORD = new RegExp(`${WORD}$`, 'u');
const BEGINS_AS_WORD = new RegExp(`^${WORD}`, 'u');

/**
 * Lets a tokenizer look for added tokens as the Python library does: those that are not normalised
 * in the text as it is, the others in the normalised text, whole words where they must be, and the
 * start of a text is there once.
 *
 * Source: huggingface/tokenizers, added_vocabulary.rs, `find_matches` and `extract_and_normalize`.
 *
 * @param content - of tokenizer.json.
 * @returns what it looks for them with.
 */
export function replaceSections(
  tokenizer: TextTokenizer,
  content: Readonly<Record<string, unknown>>,
): SectionFinders {
  const steps = tokenizer as unknown as Steps;
  const { normalizer } = steps;
  const tokens = (content['added_tokens'] ?? []) as readonly AddedToken[];
  const isNormalised = ({ normalized }: AddedToken) => normalized === true && normalizer !== null;
  const plain = tokens.filter((one) => !isNormalised(one));
  const findPlain = finderOf(
    steps.splitter_unnormalized,
    new Map(plain.map((one) => [one.content, one])),
  );
  const later = tokens.filter(isNormalised);
  const findLater = finderOf(
    steps.splitter_normalized,
    new Map(later.map((one) => [normalizer!(one.content), one])),
  );
  const wordsOf = (text: string, isAtStart: boolean): string[] => {
    const parts = steps.pre_tokenizer?.(text, { section_index: isAtStart ? 0 : 1 }) ?? [text];
    return steps.model(parts);
  };
  const normalisedTokens = (text: string, isAtStart: boolean): string[] => {
    const sections = findLater(normalizer === null ? text : normalizer(text));
    return sections.flatMap((one) =>
      'token' in one ? [one.token.content] : wordsOf(one.text, isAtStart && one.isAtStart),
    );
  };
  steps.encode_text = (text) =>
    text === null
      ? null
      : findPlain(text).flatMap((one) =>
          'token' in one ? [one.token.content] : normalisedTokens(one.text, one.isAtStart),
        );
  return { findPlain, findLater };
}

/** Finds the longest token at the first place that has any, and so on behind it. */
function finderOf(splitter: Splitter, tokens: ReadonlyMap<string, AddedToken>): Finder {
  return (text) => {
    const found: Match[] = [];
    let begin = 0;
    for (const section of splitter.split(text)) {
      const token = tokens.get(section);
      const end = begin + section.length;
      if (token !== undefined) found.push({ begin, end, token });
      begin = end;
    }
    return sectionsOf(text, found);
  };
}

interface Match {
  readonly begin: number;
  readonly end: number;
  readonly token: AddedToken;
}

function sectionsOf(text: string, matches: readonly Match[]): Section[] {
  const sections: Section[] = [];
  let done = 0;
  const between = (end: number) => {
    if (end <= done) return;
    sections.push({ text: text.slice(done, end), isAtStart: done === 0, begin: done, end });
  };
  for (const { begin, end, token } of matches) {
    // Spaces that a token before it has taken.
    if (begin < done || !standsAlone(text, { begin, end, token })) continue;
    const before = text.slice(done, begin);
    const spaces = token.lstrip === true ? BEFORE.exec(before)![0].length : 0;
    between(begin - spaces);
    done = end + (token.rstrip === true ? BEHIND.exec(text.slice(end))![0].length : 0);
    sections.push({ token, begin: begin - spaces, end: done });
  }
  between(text.length);
  return sections;
}

function standsAlone(text: string, { begin, end, token }: Match): boolean {
  if (token.single_word !== true) return true;
  return !ENDS_AS_WORD.test(text.slice(0, begin)) && !BEGINS_AS_WORD.test(text.slice(end));
}
