/**
 * What tokens say of a request: refusal, agreement, or neither.
 */
import type { Tokenizer } from '@lab/transformer';
import {
  type ListedKind,
  listedKinds,
  patternsOf,
  publishedTokenLists,
  type TokenLists,
} from './token-lists.js';

/** A kind of tokens; `other` are those of no list. */
export type TokenKind = ListedKind | 'other';

/** All kinds, in the order of tables. */
export const tokenKindNames: readonly TokenKind[] = [...listedKinds, 'other'];

/**
 * How a token is compared with a list. `published`: the token in small letters is in the list as it
 * stands; `folded`: both in small letters; `stem`: as `folded`, or the token begins with a word of
 * four letters or more of the list. Spaces around a token are left out, as decoding a single token
 * of SentencePiece does by itself.
 */
export type TokenMatch = 'folded' | 'published' | 'stem';

/** Tells the kind of tokens by their texts. */
export interface TokenKinds {
  readonly lists: TokenLists;
  readonly match: TokenMatch;
  /** Kind of a text as `tokenText` gives it. */
  kindOf(text: string): TokenKind;
}

/** Letters that a word needs so that tokens which begin with it are of its kind. */
const STEM_LETTERS = 4;

const folded = (text: string) => text.trim().toLowerCase();

/**
 * A teller of kinds. Lists are asked in the order negative, neutral, positive; patterns of a kind
 * come behind its words.
 *
 * @param lists - default {@link publishedTokenLists}.
 * @param match - default `folded`.
 * @throws {ConfigError} for a pattern that is no regular expression.
 */
export function tokenKinds(
  lists: TokenLists = publishedTokenLists,
  match: TokenMatch = 'folded',
): TokenKinds {
  const testers = listedKinds.map((kind) => {
    const isOf = wordTester(lists[kind], match);
    const patterns = patternsOf(lists, kind);
    const test = (text: string) =>
      isOf(text) || patterns.some((pattern) => pattern.test(text.trim()));
    return { kind, test };
  });
  return {
    ...{ lists, match },
    kindOf: (text) => testers.find(({ test }) => test(text))?.kind ?? 'other',
  };
}

function wordTester(list: readonly string[], match: TokenMatch): (text: string) => boolean {
  if (match === 'published') {
    const known = new Set(list);
    return (text) => known.has(text.trim().toLowerCase());
  }
  const known = new Set(list.map(folded));
  if (match === 'folded') return (text) => known.has(folded(text));
  const stems = [...known].filter((word) => word.length >= STEM_LETTERS);
  return (text) => {
    const own = folded(text);
    return known.has(own) || stems.some((stem) => own.startsWith(stem));
  };
}

/** Letters that the first piece of a word needs so that it stands for the word. */
const PIECE_LETTERS = 3;

/**
 * Lists for another tokenizer: beside each word its first piece, where the tokenizer cuts it, with
 * and without a space before it. A piece of fewer than three letters, or one that begins words of
 * two kinds, stands for none of them.
 */
export function listsForTokenizer(
  tokenizer: Pick<Tokenizer, 'decode' | 'encode'>,
  lists: TokenLists = publishedTokenLists,
): TokenLists {
  const kindsOfPiece = new Map<string, Set<ListedKind>>();
  for (const kind of listedKinds) {
    for (const word of lists[kind]) {
      for (const piece of firstPieces(tokenizer, word)) {
        const kinds = kindsOfPiece.get(piece) ?? new Set();
        kindsOfPiece.set(piece, kinds.add(kind));
      }
    }
  }
  const piecesOf = (kind: ListedKind) =>
    [...kindsOfPiece].flatMap(([piece, kinds]) =>
      kinds.size === 1 && kinds.has(kind) && !lists[kind].includes(piece) ? [piece] : [],
    );
  return {
    negative: [...lists.negative, ...piecesOf('negative')],
    neutral: [...lists.neutral, ...piecesOf('neutral')],
    positive: [...lists.positive, ...piecesOf('positive')],
    patterns: lists.patterns,
  };
}

/** First pieces of a word that the tokenizer cuts; none where it is one token. */
function firstPieces(
  tokenizer: Pick<Tokenizer, 'decode' | 'encode'>,
  word: string,
): readonly string[] {
  const found = new Set<string>();
  for (const text of [word, ` ${word}`]) {
    const ids = tokenizer.encode(text, { addSpecialTokens: false });
    const texts = ids.map((id) => tokenizer.decode([id]).trim());
    const piece = texts.find((one) => one !== '') ?? '';
    const isPiece = piece.length >= PIECE_LETTERS && piece !== word && word.startsWith(piece);
    if (isPiece) found.add(piece);
  }
  return [...found];
}
