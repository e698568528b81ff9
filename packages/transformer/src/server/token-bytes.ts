/**
 * Tokens as the bytes that they stand for.
 */
import type { Tokenizer } from '../tokenizer.js';

/** What {@link tokenBytes} asks of a tokenizer. */
type Pieces = Pick<Tokenizer, 'decode' | 'idOf' | 'tokenOf'>;

/**
 * A function that gives the bytes of a token: of a character of several tokens its part.
 *
 * How a vocabulary writes spaces and bytes is seen from how it decodes: with a character for each
 * byte (GPT-2), or with a mark for spaces and `<0xNN>` for bytes (SentencePiece).
 */
export function tokenBytes(tokenizer: Pieces): (id: number) => Buffer {
  const decodedOf = (token: string) => {
    const id = tokenizer.idOf(token);
    return id === null ? null : tokenizer.decode([id, id]);
  };
  const isByteLevel = decodedOf(BYTE_SPACE)?.trim() === '';
  const isMarked = !isByteLevel && decodedOf(MARK)?.trim() === '';
  const hasBytes = decodedOf('<0x41>') === 'AA';
  return (id) => {
    const token = tokenizer.tokenOf(id) ?? '';
    const digits = hasBytes ? /^<0x([\dA-F]{2})>$/i.exec(token)?.[1] : undefined;
    if (digits !== undefined) return Buffer.from(digits, 'hex');
    if (isByteLevel) return byteLevel(token) ?? Buffer.from(token);
    return Buffer.from(isMarked ? token.replaceAll(MARK, ' ') : tokenizer.decode([id]));
  };
}

/** SentencePiece's mark for a space. */
const MARK = '\u2581';
/** GPT-2's letter for the byte of a space. */
const BYTE_SPACE = '\u0120';

/**
 * Bytes by GPT-2's letters: printable ones stand for themselves, others for letters from 256 on.
 *
 * Source: openai/gpt-2, encoder.py, `bytes_to_unicode`.
 */
const BYTES: ReadonlyMap<string, number> = (() => {
  const isPrintable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  const hidden = all.filter((byte) => !isPrintable(byte));
  return new Map(
    all.map((byte) => {
      const code = isPrintable(byte) ? byte : 256 + hidden.indexOf(byte);
      return [String.fromCharCode(code), byte];
    }),
  );
})();

/** Null for a token that was added as a text. */
function byteLevel(token: string): Buffer | null {
  const bytes = Array.from(token, (letter) => BYTES.get(letter));
  return bytes.includes(undefined) ? null : Buffer.from(bytes as number[]);
}
