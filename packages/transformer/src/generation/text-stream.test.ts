import { describe, expect, it } from 'vitest';
import { TextStream } from './text-stream.js';

/** Tokens are bytes: 256 is a special token. */
const bytes = {
  decode: (ids: readonly number[]) =>
    new TextDecoder().decode(Uint8Array.from(ids.filter((id) => id < 256))),
};
/** Tokens are words; the first of a text has no space, as in SentencePiece. */
const words = { decode: (ids: readonly number[]) => ids.map((id) => `w${id}`).join(' ') };
const idsOf = (text: string) => [...new TextEncoder().encode(text)];

describe('TextStream', () => {
  it('holds a character back until its last byte', () => {
    const stream = new TextStream(bytes, idsOf('x'));
    const parts = idsOf('a\u20acb').map((id) => stream.push(id));
    expect(parts).toEqual(['a', '', '', '\u20ac', 'b']);
    expect(stream.end()).toBe('');
  });

  it('completes a character that the prompt began', () => {
    const [first, ...rest] = idsOf('\u20ac');
    const stream = new TextStream(bytes, [...idsOf('ab'), first!]);
    expect(rest.map((id) => stream.push(id))).toEqual(['', '\u20ac']);
  });

  it('marks what is left of a character at the end', () => {
    const stream = new TextStream(bytes, idsOf('a'));
    expect(stream.push(0xe2)).toBe('');
    expect(stream.end()).toBe('\uFFFD');
  });

  it('keeps the space before the first word', () => {
    const stream = new TextStream(words, [1, 2]);
    expect([3, 4, 5].map((id) => stream.push(id))).toEqual([' w3', ' w4', ' w5']);
  });
});
