/**
 * Answers in the two forms of the interface: messages of a chat, and texts.
 */
import type { GenerationEvent, TokenLogprob } from '../generation/engine.js';

/** Names of what an answer is, and how its parts are written. */
export interface AnswerForm {
  readonly idPrefix: string;
  readonly object: string;
  readonly chunkObject: string;
  /** What a choice of a whole answer holds. */
  whole(text: string): object;
  /** What a chunk of a stream holds; the first of a choice with `isFirst`. */
  part(text: string, isFirst: boolean): object;
  /** What the last chunk of a choice holds. */
  readonly last: object;
  /**
   * Log-probabilities of tokens.
   *
   * @param offset - letters of the text before them.
   */
  logprobs(tokens: readonly GenerationEvent[], bytesOf: BytesOf, offset: number): object;
}

/** The bytes of a token. */
export type BytesOf = (id: number) => Buffer;

/** `/v1/chat/completions`. */
export const chatForm: AnswerForm = {
  idPrefix: 'chatcmpl-',
  object: 'chat.completion',
  chunkObject: 'chat.completion.chunk',
  whole: (content) => ({ message: { role: 'assistant', content, refusal: null } }),
  part: (content, isFirst) => ({ delta: isFirst ? { role: 'assistant', content } : { content } }),
  last: { delta: {} },
  logprobs: (tokens, bytesOf) => {
    const entry = ({ id, logprob }: TokenLogprob) => {
      const bytes = bytesOf(id);
      return { token: bytes.toString(), logprob, bytes: [...bytes] };
    };
    const content = tokens.map(({ id, logprob = 0, topLogprobs = [] }) => ({
      ...entry({ id, logprob }),
      top_logprobs: topLogprobs.map(entry),
    }));
    return { content };
  },
};

/** `/v1/completions`. */
export const textForm: AnswerForm = {
  idPrefix: 'cmpl-',
  object: 'text_completion',
  chunkObject: 'text_completion',
  whole: (text) => ({ text }),
  part: (text) => ({ text }),
  last: { text: '' },
  logprobs: (tokens, bytesOf, offset) => {
    const names = tokens.map(({ id }) => tokenName(bytesOf(id)));
    let next = offset;
    return {
      tokens: names,
      token_logprobs: tokens.map(({ logprob }) => logprob),
      // The token itself comes with the most probable ones, wherever it stands.
      top_logprobs: tokens.map(({ id: own, logprob: ownLogprob = 0, topLogprobs = [] }) =>
        Object.fromEntries(
          [{ id: own, logprob: ownLogprob }, ...topLogprobs]
            .toSorted((a, b) => b.logprob - a.logprob)
            .map(({ id, logprob }) => [tokenName(bytesOf(id)), logprob]),
        ),
      ),
      text_offset: tokens.map(({ id }) => {
        const at = next;
        next += bytesOf(id).toString().length;
        return at;
      }),
    };
  },
};

/** A token's text; of a part of a character its bytes, as the interface writes them. */
function tokenName(bytes: Buffer): string {
  const text = bytes.toString();
  if (!text.includes('\ufffd')) return text;
  const digits = Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
  return `bytes:${digits.join('')}`;
}
