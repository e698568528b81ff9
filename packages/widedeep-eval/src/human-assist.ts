/**
 * Which samples people should decide: those on which the judges are least certain.
 */
import type { JudgedSample, OutcomeCounts } from './judged-sample.js';
import type { Verdict } from './verdict.js';

/**
 * Entropy of the verdicts of all answers, nats: 0 where all agree, at most ln 3.
 *
 * `BPDE = -sum_c p_c ln p_c`, p_c the share of answers with verdict c. Source: FairEval, balanced
 * position diversity entropy; equation not verified.
 */
export function outcomeEntropy(outcomes: OutcomeCounts): number {
  const counts = [outcomes['1'], outcomes['2'], outcomes.tie];
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return 0;
  return counts.reduce((sum, count) => {
    const share = count / all;
    return share === 0 ? sum : sum - share * Math.log(share);
  }, 0);
}

/**
 * The samples from least to most certain: those without a verdict first, then by entropy, then by
 * how near their mean scores are; equal ones keep their order.
 */
export function byUncertainty(samples: readonly JudgedSample[]): JudgedSample[] {
  return [...samples].sort((one, two) => {
    const [first, second] = [one, two].map(({ verdict }) => (verdict === null ? 0 : 1));
    if (first !== second) return first! - second!;
    const entropy = outcomeEntropy(two.outcomes) - outcomeEntropy(one.outcomes);
    return entropy !== 0 ? entropy : marginOf(one) - marginOf(two);
  });
}

/** How far apart the mean scores are. */
function marginOf({ aggregates: { avgAll } }: JudgedSample): number {
  return avgAll === null ? 0 : Math.abs(avgAll.U - avgAll.V);
}

/**
 * The samples that people decide: the least certain ones, a share of all.
 *
 * @param share - beta, 0..1; the number is rounded.
 */
export function leastCertain(samples: readonly JudgedSample[], share: number): JudgedSample[] {
  return byUncertainty(samples).slice(0, Math.round(share * samples.length));
}

/**
 * The verdicts with those of people in place of the least certain ones, by id.
 *
 * @param verdict - of the network; default that of its run.
 */
export function withHumanVerdicts(
  samples: readonly JudgedSample[],
  share: number,
  verdict: (sample: JudgedSample) => Verdict | null = (sample) => sample.verdict,
): ReadonlyMap<string, Verdict | null> {
  const asked = new Set(leastCertain(samples, share).map(({ id }) => id));
  return new Map(
    samples.map((sample) => {
      const { id, gold } = sample;
      return [id, asked.has(id) && gold !== null ? gold : verdict(sample)];
    }),
  );
}
