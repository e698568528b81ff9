/**
 * Merges of a SentencePiece vocabulary from the scores of its pieces.
 */

/** A piece of a vocabulary. */
export interface ScoredPiece {
  readonly id: number;
  readonly score: number;
}

/** Two pieces that become one. */
export type Merge = readonly [left: string, right: string];

/** Merges in their order. */
export interface ScoreMerges {
  readonly merges: readonly Merge[];
  /** Two pieces of one score whose merges may contend for a part, or null where there are none. */
  readonly contended: readonly [string, string] | null;
}

/**
 * All merges of two pieces to one, those of a higher score first: of two merges that are possible
 * in a text, SentencePiece takes that of the higher score, or the one further on the left.
 *
 * Source: google/sentencepiece, `bpe_model.cc`; the order of merges to one piece as in
 * huggingface/transformers, `convert_slow_tokenizer.py`, `generate_merges`.
 *
 * @param pieces - those that may be made by a merge or be a part of one.
 */
export function scoreMerges(pieces: ReadonlyMap<string, ScoredPiece>): ScoreMerges {
  const all: { left: string; right: string; whole: string; score: number }[] = [];
  for (const [whole, { score }] of pieces) {
    const own: (readonly [string, string])[] = [];
    for (let at = 1; at < whole.length; at += 1) {
      const [left, right] = [whole.slice(0, at), whole.slice(at)];
      if (pieces.has(left) && pieces.has(right)) own.push([left, right]);
    }
    const idOf = (piece: string) => pieces.get(piece)!.id;
    own.sort(([a, b], [c, d]) => idOf(a) - idOf(c) || idOf(b) - idOf(d));
    for (const [left, right] of own) all.push({ left, right, whole, score });
  }
  const lengthOf = (text: string) => Array.from(text).length;
  all.sort(
    (a, b) =>
      b.score - a.score ||
      lengthOf(b.left) - lengthOf(a.left) ||
      lengthOf(b.right) - lengthOf(a.right),
  );
  return {
    merges: all.map(({ left, right }) => [left, right] as const),
    contended: contendedPieces(all),
  };
}

interface ScoredMerge {
  readonly left: string;
  readonly right: string;
  readonly whole: string;
  readonly score: number;
}

/** Two pieces of one score such that the end of one is the begin of the other. */
function contendedPieces(merges: readonly ScoredMerge[]): readonly [string, string] | null {
  for (let begin = 0; begin < merges.length; ) {
    const { score } = merges[begin]!;
    let end = begin;
    while (end < merges.length && merges[end]!.score === score) end += 1;
    const equals = merges.slice(begin, end);
    const begins = new Map(equals.map(({ left, whole }) => [left, whole]));
    for (const { right, whole } of equals) {
      const other = begins.get(right);
      if (other !== undefined && other !== whole && !areOneRun(whole, other)) return [whole, other];
    }
    begin = end;
  }
  return null;
}

/** Whether both repeat one character: then the longest is made in either order. */
const areOneRun = (one: string, other: string) => new Set(one + other).size === 1;
