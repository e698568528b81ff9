/**
 * Which of two answers is better.
 */

/** The first answer, the second, or neither. */
export type Verdict = '1' | '2' | 'tie';

/** All verdicts, in the order of tables. */
export const verdicts: readonly Verdict[] = ['1', '2', 'tie'];

/**
 * The verdict of a difference of scores, first minus second: `1` above `tau`, `2` below `-tau`,
 * else a tie.
 *
 * @param tau - largest difference that is still a tie, >= 0; default 0.
 */
export function verdictOf(difference: number, tau = 0): Verdict {
  if (difference > tau) return '1';
  return -difference > tau ? '2' : 'tie';
}

/** The same verdict about the pair with its answers swapped. */
export function swapVerdict(verdict: Verdict): Verdict {
  if (verdict === 'tie') return 'tie';
  return verdict === '1' ? '2' : '1';
}
