import { createTokenFactor, type TokenFactor } from './tokens.js';

/** A server that counts less than this share of a prompt has cut it. */
const leastShare = 0.85;
/** Fewer missing tokens than this are a matter of chat formats. */
const leastMissing = 200;

/** Finds prompts that a server cut without saying so. */
export interface TruncationCheck {
  /**
   * Compares our count of a prompt with the server's, and learns from those that are fine.
   *
   * @param ourPromptTokens - by `countMessages`.
   * @param serverPromptTokens - the usage that the server reports, cached tokens included.
   */
  check(ourPromptTokens: number, serverPromptTokens: number): 'fine' | 'truncated';
}

/**
 * A check of prompts against silent truncation: `truncated` where the server's count is below 0.85
 * of ours times the learned factor, and more than 200 tokens short of it.
 *
 * Before the first response the factor lies half-way between 1 and the ratio of that response, so
 * that a tokenizer with fewer tokens than ours (down to 0.74 of them) is not taken for a cut.
 * Truncated prompts are not learned from.
 *
 * @param factor - the factor of a pool, to share it; a new one by default.
 */
export function createTruncationCheck(factor: TokenFactor = createTokenFactor()): TruncationCheck {
  return {
    check(ourPromptTokens, serverPromptTokens) {
      const ratio = serverPromptTokens / ourPromptTokens;
      const scale = factor.seen === 0 && ratio < 1 ? (1 + ratio) / 2 : factor.value;
      const expected = ourPromptTokens * scale;
      const isShort = serverPromptTokens < leastShare * expected;
      if (isShort && expected - serverPromptTokens > leastMissing) return 'truncated';
      factor.learn(ourPromptTokens, serverPromptTokens);
      return 'fine';
    },
  };
}
