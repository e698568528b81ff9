import { describe, expect, it } from 'vitest';
import { printable, printableLines } from './printable.js';

const escapes = 'a\u001b[2J\u001b]0;title\u0007b\u009b31m\u007f\r';

describe('printable', () => {
  it('makes one line that steers nothing', () => {
    expect(printable(escapes)).toBe('a?[2J?]0;title?b?31m? ');
    expect(printable('a\tb\nc')).toBe('a b c');
  });
});

describe('printableLines', () => {
  it('keeps lines, and colours only where there are any', () => {
    expect(printableLines(`x\ty\n${escapes}`, false)).toBe('x\ty\na?[2J?]0;title?b?31m??');
    const colored = '\u001b[31mred\u001b[0m';
    expect(printableLines(colored, true)).toBe(colored);
    expect(printableLines(colored, false)).toBe('?[31mred?[0m');
    expect(printableLines(escapes, true)).toBe('a?[2J?]0;title?b?31m??');
  });
});
