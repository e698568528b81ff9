/**
 * Tokens as people read them.
 */
import type { Tokenizer } from '@lab/transformer';

/** What names tokens. */
export type TokenNames = Pick<Tokenizer, 'decode' | 'tokenOf'>;

/**
 * The text of a single token: what decoding it alone gives, so that marks of spaces are gone in
 * vocabularies of SentencePiece and spaces are there in those of bytes. A token that is no text by
 * itself is `<0xE2>` where the vocabulary calls it so, else `#12345`; spaces alone are quoted.
 */
export function tokenText(tokenizer: TokenNames, id: number): string {
  const raw = tokenizer.tokenOf(id);
  if (raw !== null && /^<0x[0-9a-f]{2}>$/i.test(raw)) return raw;
  const text = tokenizer.decode([id]);
  if (text === '' || text.includes('\uFFFD')) return `#${id}`;
  return text.trim() === '' ? JSON.stringify(text) : text;
}

/** As {@link tokenText}, each token decoded once. */
export function tokenNamer(tokenizer: TokenNames): (id: number) => string {
  const known = new Map<number, string>();
  return (id) => {
    const found = known.get(id);
    if (found !== undefined) return found;
    const text = tokenText(tokenizer, id);
    known.set(id, text);
    return text;
  };
}
