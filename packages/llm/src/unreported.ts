/**
 * What requests did cost that were of no use, counted by servers or not.
 */
import type { Paid, TokenUsage, UnknownCost, Unreported } from './chat.js';
import type { AnswerCost } from './call-problem.js';
import { noUsage, sumOfUsage } from './token-usage.js';
import { countTexts } from './tokens.js';

/** How costs are told. */
export interface CostOptions {
  /** Price of tokens; default none is known. */
  readonly costOf?: ((usage: TokenUsage) => number | null) | undefined;
  /** Tokens of the prompt, where no server counts them; default it is left unsaid. */
  readonly countPrompt?: (() => Promise<number>) | undefined;
}

/** What requests did cost; each absent for none. */
export interface WastedCost {
  /** As servers counted it. */
  readonly paid?: Paid | undefined;
  readonly unreported?: Unreported | undefined;
}

/** Requests of one call that were of no use. */
export class WastedRequests {
  #usage: TokenUsage | null = null;
  readonly #uncounted: string[] = [];
  #unknown = 0;

  add({ usage, uncountedText }: AnswerCost): void {
    if (usage !== undefined) {
      this.#usage = this.#usage === null ? usage : sumOfUsage(this.#usage, usage);
    } else if (uncountedText === null) this.#unknown += 1;
    else if (uncountedText !== undefined) this.#uncounted.push(uncountedText);
  }

  /** What they did cost. Counts the prompt only where that is asked for. */
  async cost({ costOf, countPrompt }: CostOptions): Promise<WastedCost> {
    const priced = (usage: TokenUsage): Paid => ({ usage, costUsd: costOf?.(usage) ?? null });
    const paid = this.#usage === null ? undefined : priced(this.#usage);
    const hasUncounted = this.#uncounted.length > 0;
    if (countPrompt === undefined || (!hasUncounted && this.#unknown === 0)) return { paid };
    const prompt = await countPrompt();
    const estimated = hasUncounted ? priced(await this.#estimate(prompt)) : undefined;
    const requests = this.#unknown;
    const promptTokens = requests * prompt;
    const { costUsd } = priced(estimateOf(promptTokens, 0));
    const unknown = requests === 0 ? undefined : { requests, promptTokens, costUsd };
    return { paid, unreported: { estimated, unknown } };
  }

  async #estimate(prompt: number): Promise<TokenUsage> {
    const texts = this.#uncounted;
    return estimateOf(texts.length * prompt, await countTexts(texts));
  }
}

/** Tokens that no server counted. */
export function estimateOf(prompt: number, completion: number): TokenUsage {
  return { ...noUsage, prompt, completion, isEstimated: true };
}

/** What is unknown of both. */
export function sumOfUnknown(
  a: UnknownCost | null | undefined,
  b: UnknownCost | null | undefined,
): UnknownCost | null {
  if (a === null || a === undefined) return b ?? null;
  if (b === null || b === undefined) return a;
  const isPriced = a.costUsd !== null && b.costUsd !== null;
  return {
    requests: a.requests + b.requests,
    promptTokens: a.promptTokens + b.promptTokens,
    costUsd: isPriced ? a.costUsd + b.costUsd : null,
  };
}
