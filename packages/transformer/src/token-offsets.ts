/**
 * Where in a text each of its tokens stands.
 */
import type { Tokenizer as TextTokenizer } from '@huggingface/tokenizers';
import { type AlignedText, alignedText, joinedText, slicedText } from './aligned-text.js';
import type { SectionFinders } from './tokenizer-sections.js';
import {
  cutText,
  type Normalizer,
  normalisedText,
  type PreTokenizer,
  type StepFields,
} from './traced-steps.js';

/** From one UTF-16 unit of a text to before another. */
export type TextRange = readonly [start: number, end: number];

/** A token and where it stands. */
interface PlacedToken {
  readonly token: string;
  readonly range: TextRange;
}

interface TokenModel {
  (words: readonly string[]): readonly string[];
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  readonly fuse_unk: boolean;
  readonly byte_fallback?: boolean;
  readonly continuing_subword_suffix?: string | null;
  readonly end_of_word_suffix?: string | null;
  readonly config: { readonly type?: string; readonly continuing_subword_prefix?: string | null };
}

/** The parts of the library's tokenizer that a text goes through. */
interface Steps {
  readonly normalizer: Normalizer | null;
  readonly pre_tokenizer: PreTokenizer | null;
  readonly model: TokenModel;
  readonly post_processor:
    | ((tokens: string[], pair: null, addSpecialTokens: boolean) => { readonly tokens: string[] })
    | null;
}

/**
 * A function that gives the range of a text that each of its tokens stands for, as `offsets` of the
 * Python library: whole characters, where a token holds a part of their bytes, too; a mark that the
 * tokenizer puts before the first word has the range of that word's first character; null for a
 * token that stands for nothing in the text, such as one that begins it.
 *
 * Deviation: spaces before words are never cut off a range, as `trim_offsets` does for some. Within
 * letters that one sees as one, where a normalizer composes some and leaves others, a token may
 * have the range of a neighbour among them.
 */
export function offsetsReader(
  tokenizer: TextTokenizer,
  content: StepFields,
  { findPlain, findLater }: SectionFinders,
): (text: string, addSpecialTokens: boolean) => (TextRange | null)[] {
  const steps = tokenizer as unknown as Steps;
  const fieldsOf = (name: string) => (content[name] ?? {}) as StepFields;
  const betweenTokens = (given: AlignedText, isAtStart: boolean): PlacedToken[] => {
    const whole =
      steps.normalizer === null
        ? given
        : normalisedText(steps.normalizer, fieldsOf('normalizer'), given);
    return findLater(whole.text).flatMap((one): readonly PlacedToken[] => {
      const own = slicedText(whole, one.begin, one.end);
      if ('token' in one) return [{ token: one.token.content, range: rangeOf(own) }];
      const words =
        steps.pre_tokenizer === null
          ? [own]
          : cutText(
              steps.pre_tokenizer,
              fieldsOf('pre_tokenizer'),
              own,
              isAtStart && one.isAtStart,
            );
      return placedTokens(steps.model, words);
    });
  };
  return (text, addSpecialTokens) => {
    const placed = findPlain(text).flatMap((one): readonly PlacedToken[] =>
      'token' in one
        ? [{ token: one.token.content, range: [one.begin, one.end] }]
        : betweenTokens(alignedText(one.text, one.begin), one.isAtStart),
    );
    const ranges = placed.map(({ range }) => range);
    const { post_processor: finish } = steps;
    if (finish === null) return ranges;
    // No token is called so: what stands before it and behind it was added.
    const added = finish(['\0'], null, addSpecialTokens).tokens;
    return added.flatMap((token) => (token === '\0' ? ranges : [null]));
  };
}

const rangeOf = ({ begins, ends }: AlignedText): TextRange => [begins[0] ?? 0, ends.at(-1) ?? 0];

/** The tokens of words, each where it stands. */
function placedTokens(model: TokenModel, words: readonly AlignedText[]): PlacedToken[] {
  const all = joinedText(words);
  let behind = 0;
  const wordEnds = words.map(({ text }) => (behind += text.length));
  let [at, bytes, word] = [0, 0, 0];
  return model(words.map(({ text }) => text)).map((token) => {
    while (word < words.length - 1 && at >= wordEnds[word]!) word += 1;
    const begin = at;
    const end = begin + lengthOf(token, { model, text: all.text, at, wordEnd: wordEnds[word]! });
    bytes = isByte(token, model, all.text.startsWith(token, at)) ? bytes + 1 : 0;
    // Bytes of a character one by one: it is done with its last one.
    if (bytes === 0 || bytes === Buffer.byteLength(all.text.slice(begin, end)))
      [at, bytes] = [end, 0];
    return { token, range: rangeOf(slicedText(all, begin, end)) };
  });
}

const isByte = (token: string, { byte_fallback: hasBytes }: TokenModel, isText: boolean): boolean =>
  hasBytes === true && !isText && /^<0x[0-9A-F]{2}>$/.test(token);

interface Place {
  readonly model: TokenModel;
  readonly text: string;
  readonly at: number;
  readonly wordEnd: number;
}

/** Units of the text that a token stands for. */
function lengthOf(token: string, { model, text, at, wordEnd }: Place): number {
  if (text.startsWith(token, at)) return token.length;
  const prefix = model.config.continuing_subword_prefix ?? '';
  const suffix = [model.continuing_subword_suffix, model.end_of_word_suffix].find(
    (one) => one !== undefined && one !== null && one !== '' && token.endsWith(one),
  );
  const bare = token.slice(
    token.startsWith(prefix) ? prefix.length : 0,
    token.length - (suffix?.length ?? 0),
  );
  if (bare !== '' && text.startsWith(bare, at)) return bare.length;
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0).length;
  if (isByte(token, model, false)) return character;
  // A token for what is not known: of a whole word, or of one character or a run of such.
  if (model.config.type === 'WordPiece' || model.config.type === 'WordLevel') return wordEnd - at;
  let end = at + character;
  const isUnknown = (one: string) => one !== '' && !model.tokens_to_ids.has(one);
  const next = () => Array.from(text.slice(end, end + 2))[0] ?? '';
  while (model.fuse_unk && isUnknown(next())) end += next().length;
  return end - at;
}
