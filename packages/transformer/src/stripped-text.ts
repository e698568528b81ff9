/**
 * Texts without what stands around them, as Python takes it away.
 */

/** What Python takes for space beside what `trim` does; a byte order mark it does not. */
const SPACES = new Set('\u001c\u001d\u001e\u001f\u0085');

const isSpace = (letter: string): boolean =>
  SPACES.has(letter) || (letter !== '\ufeff' && letter.trim() === '');

/** What is taken away, and where. */
export interface StripOptions {
  /** Any of these letters; default white space. */
  readonly letters?: string | undefined;
  /** Default both. */
  readonly side?: 'begin' | 'both' | 'end' | undefined;
}

/** A text as `strip`, `lstrip` or `rstrip` of Python gives it. */
export function strippedText(text: string, { letters, side = 'both' }: StripOptions = {}): string {
  const chosen = letters === undefined ? null : new Set(letters);
  const isTaken = (letter: string) => (chosen === null ? isSpace(letter) : chosen.has(letter));
  const all = Array.from(text);
  let [begin, end] = [0, all.length];
  if (side !== 'end') while (begin < end && isTaken(all[begin]!)) begin += 1;
  if (side !== 'begin') while (end > begin && isTaken(all[end - 1]!)) end -= 1;
  return all.slice(begin, end).join('');
}
