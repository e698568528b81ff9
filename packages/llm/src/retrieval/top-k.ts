/** A document and how well it fits. */
export interface Hit {
  readonly index: number;
  readonly score: number;
}

/** Collects the k best hits; of equal scores the lower index goes first. */
export class TopK {
  readonly #k: number;
  readonly #hits: Hit[] = [];

  constructor(k: number) {
    this.#k = k;
  }

  add(index: number, score: number): void {
    const hits = this.#hits;
    if (hits.length === this.#k && !isBetter(index, score, hits.at(-1))) return;
    let low = 0;
    let high = hits.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBetter(index, score, hits[middle])) high = middle;
      else low = middle + 1;
    }
    hits.splice(low, 0, { index, score });
    if (hits.length > this.#k) hits.pop();
  }

  /** The best first. */
  hits(): Hit[] {
    return [...this.#hits];
  }
}

function isBetter(index: number, score: number, than: Hit | undefined): boolean {
  if (than === undefined) return false;
  return score > than.score || (score === than.score && index < than.index);
}
