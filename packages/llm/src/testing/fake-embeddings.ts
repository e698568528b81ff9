/**
 * Embeddings that depend on the words of a text alone: texts that share words are near each other.
 */
import { saltOf, scramble } from './fake-hash.js';
import { countTokens } from './fake-tokens.js';

/** The vector of a text, of length one. */
export function embeddingOf(text: string, width: number): Float32Array {
  const vector = new Float32Array(width);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text]) addWord(vector, word);
  let square = 0;
  for (const value of vector) square += value * value;
  const length = Math.sqrt(square) || 1;
  return vector.map((value) => value / length);
}

function addWord(vector: Float32Array, word: string): void {
  let bits = saltOf(word);
  for (let i = 0; i < vector.length; i += 1) {
    bits = scramble(bits + i + 1);
    vector[i] = (vector[i] ?? 0) + bits / 2_147_483_648 - 1;
  }
}

/** What stands in the body of embeddings. */
export interface EmbeddingFacts {
  readonly texts: readonly string[];
  readonly model: string;
  readonly width: number;
  readonly isBase64: boolean;
  /** Whether rows come in another order than the texts, told apart by their index. */
  readonly isShuffled: boolean;
  /** Whether the last row is shorter than the others. */
  readonly isUneven: boolean;
}

/** The body of an answer with embeddings, and the tokens of its texts. */
export function embeddingBody(facts: EmbeddingFacts): { body: string; tokens: number } {
  const { texts, width, model } = facts;
  let tokens = 0;
  const data = texts.map((text, index) => {
    tokens += countTokens(text);
    const isLast = index === texts.length - 1;
    const vector = embeddingOf(text, facts.isUneven && isLast ? width - 1 : width);
    return { object: 'embedding', index, embedding: encoded(vector, facts.isBase64) };
  });
  if (facts.isShuffled) data.reverse();
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return { body: JSON.stringify({ object: 'list', data, model, usage }), tokens };
}

function encoded(vector: Float32Array, isBase64: boolean): string | number[] {
  return isBase64 ? Buffer.from(vector.buffer).toString('base64') : [...vector];
}
