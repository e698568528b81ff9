import type { JsonOrigin } from '../chat.js';

/** What became of one answer that should be JSON. */
export type JsonOutcome = JsonOrigin | 'failed';

/** How the answers of one model came to fit, as shares of `n`. */
export interface StructuredShares {
  readonly n: number;
  readonly direct: number;
  readonly repaired: number;
  readonly repairedByCall: number;
  readonly failed: number;
}

/** Counts of outcomes by model. */
export interface StructuredRates {
  record(model: string, outcome: JsonOutcome): void;
  /** Shares by model, models in the order of their first answer. */
  shares(): ReadonlyMap<string, StructuredShares>;
}

/**
 * Counts of outcomes. Scores of a model of which many answers failed to parse are not comparable
 * with those of one that never fails, so that the shares belong beside every score.
 */
export function createStructuredRates(): StructuredRates {
  const counts = new Map<string, Map<JsonOutcome, number>>();
  return {
    record(model, outcome) {
      const own = counts.get(model) ?? new Map<JsonOutcome, number>();
      counts.set(model, own.set(outcome, (own.get(outcome) ?? 0) + 1));
    },
    shares() {
      return new Map([...counts].map(([model, own]) => [model, sharesOf(own)]));
    },
  };
}

function sharesOf(counts: ReadonlyMap<JsonOutcome, number>): StructuredShares {
  let n = 0;
  for (const count of counts.values()) n += count;
  const share = (outcome: JsonOutcome) => (counts.get(outcome) ?? 0) / n;
  return {
    n,
    direct: share('direct'),
    repaired: share('repaired'),
    repairedByCall: share('repaired-by-call'),
    failed: share('failed'),
  };
}
