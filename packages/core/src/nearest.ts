/**
 * The candidate closest to `word`, or `undefined` when none is close enough to be a likely typo.
 *
 * Distance: Damerau-Levenshtein (optimal string alignment), upper and lower case alike; at most one
 * edit for short words and a third of the length for longer ones. A candidate that begins with
 * `word` counts as close as well. Among equals the first one wins.
 *
 * @param word - what was typed.
 * @param candidates - the names that exist.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const typed = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = closeness(typed, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function closeness(typed: string, candidate: string): number {
  const longest = Math.max(typed.length, candidate.length);
  const allowed = Math.max(1, Math.floor(longest / 3));
  const distance = editDistance(typed, candidate);
  const isPrefix = typed.length >= 3 && candidate.startsWith(typed);
  if (isPrefix) return Math.min(distance, 0.5);
  return distance <= allowed && distance < longest ? distance : Number.POSITIVE_INFINITY;
}

/**
 * The Damerau-Levenshtein distance (optimal string alignment): the number of insertions, deletions,
 * substitutions and swaps of neighbours that turn `a` into `b`.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + substitution);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) cost = Math.min(cost, beforeLast[j - 2]! + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
