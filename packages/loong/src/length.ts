/**
 * What fits into a window.
 */

/** Something with a length in tokens. */
export interface Sized {
  readonly tokens: number;
}

/** What was taken and what was left out, both in the order given. */
export interface Fitted<T> {
  readonly used: readonly T[];
  readonly dropped: readonly T[];
  readonly tokens: number;
}

/**
 * The blocks that fit, taken greedily in their order: a block that is too long is left out, and a
 * shorter one behind it may still be taken. Whole documents alone are left out, none is cut.
 *
 * A block is taken when `frame + sum of taken + block <= limit`, in tokens.
 * Source: Loong, section 4.1; MozerWang/Loong/src/utils/generate.py.
 *
 * @param frame - tokens of the prompt without documents.
 * @param limit - tokens of the prompt at most.
 */
export function fitBlocks<T extends Sized>(
  blocks: readonly T[],
  { frame, limit }: { readonly frame: number; readonly limit: number },
): Fitted<T> {
  const used: T[] = [];
  const dropped: T[] = [];
  let tokens = frame;
  for (const block of blocks) {
    if (tokens + block.tokens <= limit) {
      used.push(block);
      tokens += block.tokens;
    } else dropped.push(block);
  }
  return { used, dropped, tokens };
}

/** How much of a window prompts may fill. */
export interface Window {
  /** Tokens of prompt and answer at most. */
  readonly maxLength: number;
  /** Tokens kept free for the answer. */
  readonly reserveOutput: number;
  /** Share kept free as other tokenizers differ from cl100k_base. */
  readonly slack: number;
}

/** Tokens of a prompt at most: `floor((maxLength - reserveOutput) (1 - slack))`. */
export function promptLimit({ maxLength, reserveOutput, slack }: Window): number {
  return Math.floor((maxLength - reserveOutput) * (1 - slack));
}
