/**
 * What it would save, and change, to leave out discussions where all judges agree from the start:
 * told from a run that had them all.
 */
import type { JudgedSample } from './judged-sample.js';
import { type Verdict, verdictOf } from './verdict.js';

/** A run beside itself with `network.earlyStop`. */
export interface EarlyStop {
  /** Pairs that were discussed. */
  readonly pairs: number;
  /** Share of them of which all judges agreed, in both orders, before the discussion. */
  readonly unanimous: number;
  /** Share of the calls of these pairs that stopping saves. */
  readonly callsSaved: number;
  /** Share of these pairs whose verdict stays the same. */
  readonly sameVerdict: number;
  /** Share of right verdicts with and without the discussions; null where people said nothing. */
  readonly accuracy: {
    readonly n: number;
    readonly whole: number;
    readonly stopped: number;
  } | null;
}

/**
 * What stopping early would save and change; null where no pair was discussed. With it, a unanimous
 * first layer decides: its mean difference against tau.
 *
 * @param tau - tie threshold of the run; default 0.
 */
export function earlyStop(samples: readonly JudgedSample[], tau = 0): EarlyStop | null {
  const discussed = samples.filter(({ laterAnswers }) => laterAnswers > 0);
  if (discussed.length === 0) return null;
  const compared = discussed.map((sample) => ({ sample, stopped: stoppedVerdict(sample, tau) }));
  const labelled = compared.filter(({ sample }) => sample.gold !== null);
  const sum = (of: (sample: JudgedSample) => number): number =>
    discussed.reduce((total, sample) => total + of(sample), 0);
  const saved = sum(({ isUnanimous, laterAnswers }) => (isUnanimous ? laterAnswers : 0));
  const shareOf = <T>(items: readonly T[], is: (item: T) => boolean): number =>
    items.filter(is).length / Math.max(1, items.length);
  return {
    pairs: discussed.length,
    unanimous: shareOf(discussed, ({ isUnanimous }) => isUnanimous),
    callsSaved:
      saved /
      Math.max(
        1,
        sum(({ calls }) => calls),
      ),
    sameVerdict: shareOf(compared, ({ sample, stopped }) => stopped === sample.verdict),
    accuracy:
      labelled.length === 0
        ? null
        : {
            n: labelled.length,
            whole: shareOf(labelled, ({ sample }) => sample.verdict === sample.gold),
            stopped: shareOf(labelled, ({ sample, stopped }) => stopped === sample.gold),
          },
  };
}

/** The verdict of a pair had it been stopped where all judges agreed. */
function stoppedVerdict(sample: JudgedSample, tau: number): Verdict | null {
  const [first = null] = sample.layerDifferences;
  return sample.isUnanimous && first !== null ? verdictOf(first, tau) : sample.verdict;
}
