/**
 * Tokens as the misbehaving server counts them: about those of a real tokenizer for English text,
 * and without one.
 */

const piece = /\s*(?:[A-Za-z]{1,8}|[0-9]{1,3}|[^\sA-Za-z0-9]{1,2})|\s+$/gu;

/** The text in tokens, which give it again when joined. */
export function splitTokens(text: string): string[] {
  return text.match(piece) ?? [];
}

/** Number of tokens of a text. */
export function countTokens(text: string): number {
  let tokens = 0;
  piece.lastIndex = 0;
  while (piece.test(text)) tokens += 1;
  return tokens;
}

/** The last tokens of a text, as a server keeps them that drops what is too long. */
export function keepLastTokens(text: string, tokens: number): string {
  const pieces = splitTokens(text);
  return pieces.length <= tokens ? text : pieces.slice(pieces.length - tokens).join('');
}
