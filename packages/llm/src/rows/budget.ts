/**
 * Limits on what a run may spend.
 */
import { BudgetError, formatCount } from '@lab/core';

/** What a run may spend, earlier parts of the same run included. */
export interface Budget {
  /** Calls; one that had to be sent again counts once, and so does one that failed. */
  readonly maxCalls?: number | undefined;
  /** Tokens in and out. */
  readonly maxTotalTokens?: number | undefined;
  readonly budgetUsd?: number | undefined;
}

/** What was spent, or may be by a request in flight. */
export interface Spending {
  readonly calls: number;
  readonly tokens: number;
  readonly usd: number;
}

const nothing: Spending = { calls: 0, tokens: 0, usd: 0 };

/** Money is summed in floating point: a budget of 0.3 must hold three times 0.1. */
const roundingUsd = 1e-9;

/**
 * Counts what a run spends. A request reserves what it can cost at most before it is sent, so that
 * the limit holds whatever the requests in flight turn out to cost.
 */
export class BudgetGuard {
  readonly #budget: Budget;
  #spent: Spending;
  #held = nothing;
  #isEnded = false;
  #waiting: (() => void)[] = [];

  constructor(budget: Budget, spent: Spending = nothing) {
    this.#budget = budget;
    this.#spent = spent;
  }

  /** What was spent. */
  get spent(): Spending {
    return this.#spent;
  }

  /** Whether there is any limit. */
  get isLimited(): boolean {
    return Object.values(this.#budget).some((limit) => limit !== undefined);
  }

  /**
   * Resolves once the most that a request can cost is reserved; waits for requests in flight, which
   * mostly cost less than they reserve.
   *
   * @throws {BudgetError} when it does not fit even then.
   */
  async reserve(most: Spending): Promise<void> {
    while (!this.#fits(most)) {
      if (this.#held.calls === 0) this.#isEnded = true;
      if (this.#isEnded) {
        this.#wakeAll();
        throw this.#problem();
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#held = plus(this.#held, most);
  }

  /** Gives a reservation back and counts what the request did cost. */
  settle(most: Spending, spent: Spending): void {
    this.#held = plus(this.#held, { calls: -most.calls, tokens: -most.tokens, usd: -most.usd });
    if (this.#held.calls === 0) this.#held = nothing; // without the rest of rounding
    this.#spent = plus(this.#spent, spent);
    this.#wakeAll();
  }

  #wakeAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #fits(most: Spending): boolean {
    if (this.#isEnded) return false;
    const { maxCalls, maxTotalTokens, budgetUsd } = this.#budget;
    const { calls, tokens, usd } = plus(plus(this.#spent, this.#held), most);
    return (
      calls <= (maxCalls ?? Number.POSITIVE_INFINITY) &&
      tokens <= (maxTotalTokens ?? Number.POSITIVE_INFINITY) &&
      usd <= (budgetUsd ?? Number.POSITIVE_INFINITY) + roundingUsd
    );
  }

  #problem(): BudgetError {
    const { maxCalls, maxTotalTokens, budgetUsd } = this.#budget;
    const { calls, tokens, usd } = this.#spent;
    const limits = [
      maxCalls === undefined ? '' : `${formatCount(calls)} of ${formatCount(maxCalls)} calls`,
      maxTotalTokens === undefined
        ? ''
        : `${formatCount(tokens)} of ${formatCount(maxTotalTokens)} tokens`,
      budgetUsd === undefined ? '' : `${usd.toFixed(4)} of ${budgetUsd} USD`,
    ];
    const text = limits.filter((limit) => limit !== '').join(', ');
    return new BudgetError(`budget reached: ${text} spent, and the next request may not fit.`, {
      help: 'resume the run with a larger budget; what is finished is not asked again.',
      details: { calls, tokens, usd, ...this.#budget },
    });
  }
}

function plus(a: Spending, b: Spending): Spending {
  return { calls: a.calls + b.calls, tokens: a.tokens + b.tokens, usd: a.usd + b.usd };
}
