/**
 * Prompts that were there before, word for word or nearly.
 */

interface Prompted {
  readonly prompt: string;
}

/** Share of words from which on two prompts are nearly the same. */
const NEAR = 0.8;

/** Words of a prompt, without case and punctuation. */
const wordsOf = (prompt: string): string[] =>
  prompt
    .normalize('NFKC')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? [prompt];

/**
 * The prompts without those that an earlier kept one repeats.
 *
 * @param isNear - whether it is enough that the sets of words are the same to 80 %:
 *   `|A and B| / |A or B| >= .8`.
 */
export function keptPrompts<T extends Prompted>(records: readonly T[], isNear: boolean): T[] {
  const seen = new Set<string>();
  const near = isNear ? new NearPrompts(records) : null;
  return records.filter((record) => {
    const words = wordsOf(record.prompt);
    const key = words.join(' ');
    if (seen.has(key) || near?.isKnown(words) === true) return false;
    seen.add(key);
    near?.add(words);
    return true;
  });
}

/**
 * Sets of words, found again by their rarest ones: of two sets that share 80 %, the first
 * `n - ceil(.8 n) + 1` words in order of rarity have one in common (prefix filter; Chaudhuri et
 * al., A Primitive Operator for Similarity Joins in Data Cleaning, 2006).
 */
class NearPrompts {
  private readonly counts = new Map<string, number>();
  private readonly byWord = new Map<string, Set<string>[]>();

  constructor(records: readonly Prompted[]) {
    for (const { prompt } of records) {
      for (const word of new Set(wordsOf(prompt))) {
        this.counts.set(word, (this.counts.get(word) ?? 0) + 1);
      }
    }
  }

  isKnown(words: readonly string[]): boolean {
    const own = new Set(words);
    return this.rarest(own).some((word) =>
      this.byWord.get(word)?.some((other) => jaccard(own, other) >= NEAR),
    );
  }

  add(words: readonly string[]): void {
    const own = new Set(words);
    for (const word of this.rarest(own)) {
      const others = this.byWord.get(word);
      if (others === undefined) this.byWord.set(word, [own]);
      else others.push(own);
    }
  }

  private rarest(words: ReadonlySet<string>): string[] {
    const count = words.size - Math.ceil(NEAR * words.size) + 1;
    const rarity = (word: string) => this.counts.get(word) ?? 0;
    return [...words].toSorted((a, b) => rarity(a) - rarity(b) || (a < b ? -1 : 1)).slice(0, count);
  }
}

function jaccard(one: ReadonlySet<string>, two: ReadonlySet<string>): number {
  let shared = 0;
  for (const word of one) if (two.has(word)) shared += 1;
  return shared / (one.size + two.size - shared);
}
