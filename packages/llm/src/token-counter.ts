/**
 * Counting the tokens of long texts in an encoding, with counts kept by content.
 */
import { sha256 } from '@lab/core';

/** Shorter texts are their own key: a hash would be longer. */
const hashedFrom = 80;

/** How a counter counts. */
export interface TokenCounterOptions {
  /** Counts the tokens of a text at once; loaded with the first text. */
  readonly load: () => Promise<(text: string) => number>;
  /** The text in pieces whose counts add up. */
  readonly pieces: (text: string) => Iterable<string>;
  /** Counts that are kept; the oldest go first. */
  readonly keptCounts: number;
  /** After so many characters of a text other work gets its turn. */
  readonly turnLength: number;
}

/**
 * A function that gives the tokens of a text of any length, 0 of an empty one.
 *
 * @param options - the encoding, and where texts may be cut.
 */
export function createTokenCounter({
  load,
  pieces,
  keptCounts,
  turnLength,
}: TokenCounterOptions): (text: string) => Promise<number> {
  const counts = new Map<string, number>();
  let encoding: Promise<(text: string) => number> | undefined;
  return async (text) => {
    if (text === '') return 0;
    const key = text.length < hashedFrom ? `=${text}` : sha256(text);
    const known = counts.get(key);
    if (known !== undefined) return known;
    encoding ??= load();
    const count = await encoding;
    let tokens = 0;
    let sinceTurn = 0;
    for (const piece of pieces(text)) {
      tokens += count(piece);
      sinceTurn += piece.length;
      if (sinceTurn < turnLength) continue;
      sinceTurn = 0;
      await turn();
    }
    if (counts.size >= keptCounts) counts.delete(counts.keys().next().value!);
    counts.set(key, tokens);
    return tokens;
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
