/**
 * Whether servers read the whole of our prompts.
 */
import type { ChatMessage } from './chat.js';
import { characterCount, countMessages, createTokenFactor } from './tokens.js';
import { createTruncationCheck } from './truncation.js';

/** Compares prompts with what the server says it read. */
export interface PromptCheck {
  /** Whether the prompt was cut; at once where that is plain without counting. */
  isCut(messages: readonly ChatMessage[], serverTokens: number): Promise<boolean> | boolean;
  /** Our count of a prompt in tokens of the server, as far as its answers have told. */
  estimate(ourTokens: number): number;
}

/** A cut is only seen when so many tokens are missing; a token has one byte at least. */
const LEAST_CUT_TOKENS = 200;

/** Prompts that are always counted, to learn from. */
const LEARNED = 20;

/** Slack below the densest prompt seen within which no prompt can have been cut unseen. */
const CLEAR_SHARE = 0.95;

/**
 * A check that counts tokens only where a cut is possible, as counting takes longer than all else
 * that a call costs here. Once some prompts are counted, those that the server finds about as many
 * tokens per character in as in the densest of them are whole.
 */
export function createPromptCheck(): PromptCheck {
  const factor = createTokenFactor();
  const check = createTruncationCheck(factor);
  let counted = 0;
  /** Most of our tokens per character, times what the server made of them. */
  let densest = 0;
  return {
    estimate: (ourTokens) => factor.estimate(ourTokens),
    isCut(messages, serverTokens) {
      const size = characterCount(messages);
      // Three bytes a character at most, and a token for each byte at most.
      if (3 * size <= serverTokens + LEAST_CUT_TOKENS || size < LEAST_CUT_TOKENS / 2) return false;
      if (counted >= LEARNED && serverTokens >= CLEAR_SHARE * densest * size) return false;
      return countMessages(messages).then((ours) => {
        const isCut = check.check(ours, serverTokens) === 'truncated';
        if (isCut) return true;
        counted += 1;
        densest = Math.max(densest, Math.max(ours, serverTokens) / size);
        return false;
      });
    },
  };
}
