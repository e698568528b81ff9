/**
 * Which tokens the lens brings up over a set of prompts, state by state.
 */
import { DataError } from '@lab/core';
import { type Interval, tInterval } from '@lab/metrics';
import type { StateTops } from './lens.js';
import { type TokenKind, tokenKindNames, type TokenKinds } from './token-kinds.js';

/**
 * What is one token: the same id, or the same text, so that those that differ by a space alone are
 * one in vocabularies of SentencePiece.
 */
export type CountBy = 'text' | 'token';

/** How tokens are counted. */
export interface CountOptions {
  /** Text of a token. */
  readonly nameOf: (id: number) => string;
  /** Default `token`. */
  readonly countBy?: CountBy | undefined;
  /**
   * With `text`: whether a prompt counts for every token of the same text, as in released code, so
   * that a count may exceed the number of prompts; default false.
   */
  readonly isRepeated?: boolean | undefined;
}

/** A token and the prompts that bring it up. */
export interface TokenCount {
  /** The first token of that text. */
  readonly id: number;
  readonly text: string;
  /** c_l(w): prompts that have it among their best. */
  readonly count: number;
}

/**
 * Tokens of a state by the number of prompts that have them among their best K, most frequent
 * first; of equal ones that which came first.
 *
 * `c_l(w) = #{ n : w in T_K(l, x_n) }`
 */
export function countTokens(tops: StateTops, options: CountOptions): TokenCount[] {
  const { nameOf, countBy = 'token', isRepeated = false } = options;
  const counts = new Map<number | string, { id: number; text: string; count: number }>();
  for (let row = 0; row < promptCount(tops); row += 1) {
    const seen = new Set<number | string>();
    for (let rank = 0; rank < tops.top; rank += 1) {
      const id = tops.ids[row * tops.top + rank]!;
      const text = nameOf(id);
      const key = countBy === 'token' ? id : text;
      if (seen.has(key) && !isRepeated) continue;
      seen.add(key);
      const known = counts.get(key);
      if (known === undefined) counts.set(key, { id, text, count: 1 });
      else known.count += 1;
    }
  }
  return [...counts.values()].toSorted((a, b) => b.count - a.count);
}

/** N. @throws {DataError} where there are no prompts. */
export function promptCount({ ids, top, state }: StateTops): number {
  if (ids.length > 0) return ids.length / top;
  throw new DataError(`weak-probe/token-table: state ${state} has no prompts.`, {
    help: 'Read the lens of one prompt at least.',
  });
}

/** A cell of the table. */
export interface TokenCell extends TokenCount {
  readonly kind: TokenKind;
  /** Count / N. */
  readonly share: number;
}

/** A column of the table. */
export interface StateTokens {
  readonly state: number;
  /** Most frequent first; fewer than asked for where there are not so many. */
  readonly cells: readonly TokenCell[];
  /** Different tokens that any prompt has among its best. */
  readonly distinctTokens: number;
  /** Of all places `K N`, the share of each kind. */
  readonly kindShares: Readonly<Record<TokenKind, number>>;
  /** Student's interval of each over prompts, 95 %. */
  readonly kindIntervals: Readonly<Record<TokenKind, Interval>>;
}

/** Tokens by state. */
export interface TokenTable {
  /** N. */
  readonly promptCount: number;
  /** K. */
  readonly top: number;
  readonly countBy: CountBy;
  readonly states: readonly StateTokens[];
}

/** How {@link tokenTable} is made. */
export interface TokenTableOptions extends CountOptions {
  readonly kinds: TokenKinds;
  /** Tokens of a column; default K. */
  readonly cells?: number | undefined;
}

/**
 * The most frequent tokens of every state, with their kinds, and how much of the lens each kind
 * takes: the published heat map and the trend behind it.
 *
 * Source: ydyjya/LLM-IHS-Explanation, the heat map of top tokens.
 * Deviation: released code lets a prompt count twice for two tokens of one text; here it does so
 * with `isRepeated` alone.
 *
 * @throws {DataError} where there are no prompts.
 */
export function tokenTable(
  lens: readonly StateTops[],
  { kinds, cells, ...count }: TokenTableOptions,
): TokenTable {
  const states = lens.map((tops) => {
    const n = promptCount(tops);
    const found = countTokens(tops, count);
    const kept = found.slice(0, cells ?? tops.top).map((one) => ({
      ...one,
      kind: kinds.kindOf(one.text),
      share: one.count / n,
    }));
    return {
      ...{ state: tops.state, cells: kept, distinctTokens: found.length },
      ...kindShares(tops, count.nameOf, kinds),
    };
  });
  const [first] = lens;
  return {
    promptCount: first === undefined ? 0 : promptCount(first),
    ...{ top: first?.top ?? 0, countBy: count.countBy ?? 'token', states },
  };
}

/** Share of each kind among all listed tokens of a state, with intervals over prompts. */
export function kindShares(
  tops: StateTops,
  nameOf: (id: number) => string,
  kinds: TokenKinds,
): Pick<StateTokens, 'kindIntervals' | 'kindShares'> {
  const kindOf = new Map<number, TokenKind>();
  for (const id of tops.ids) if (!kindOf.has(id)) kindOf.set(id, kinds.kindOf(nameOf(id)));
  const n = promptCount(tops);
  const counts = new Map(tokenKindNames.map((kind) => [kind, new Float64Array(n)]));
  for (const [at, id] of tops.ids.entries()) {
    counts.get(kindOf.get(id)!)![Math.floor(at / tops.top)]! += 1;
  }
  const each = <T>(of: (own: Float64Array) => T) =>
    Object.fromEntries([...counts].map(([kind, own]) => [kind, of(own)])) as Record<TokenKind, T>;
  return {
    kindShares: each((own) => own.reduce((sum, count) => sum + count, 0) / tops.ids.length),
    kindIntervals: each((own) => intervalOf(own.map((count) => count / tops.top))),
  };
}

/** Of one prompt nothing is known. */
function intervalOf(shares: Float64Array): Interval {
  if (shares.length < 2) return { low: 0, high: 1 };
  const { low, high } = tInterval(shares);
  return { low: Math.max(0, low), high: Math.min(1, high) };
}
