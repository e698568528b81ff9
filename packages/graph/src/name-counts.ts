import { formatCount } from '@lab/core';

/** A name and how often it was met. */
export interface NameCount {
  readonly name: string;
  readonly count: number;
}

/** Counts names. */
export class NameCounter {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** Most frequent first, equal ones in the order of their first occurrence. */
  sorted(): NameCount[] {
    const found = Array.from(this.#counts, ([name, count]) => ({ name, count }));
    return found.sort((a, b) => b.count - a.count);
  }
}

/** The most frequent of some names in one sentence, `a (3), b (1) and 4 more`. */
export function nameCountText(counts: readonly NameCount[], shown = 3): string {
  const first = counts.slice(0, shown).map(({ name, count }) => `${name} (${formatCount(count)})`);
  const rest = counts.length - first.length;
  return `${first.join(', ')}${rest > 0 ? ` and ${formatCount(rest)} more` : ''}`;
}
