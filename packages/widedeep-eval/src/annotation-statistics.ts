/**
 * What a network is worth to annotators: time, cost, changes and agreement, with and without it.
 */
import { cohenKappa } from '@lab/metrics';
import type { Annotation, Arm } from './annotations.js';
import type { JudgedSample } from './judged-sample.js';
import { krippendorffAlpha } from './jury-agreement.js';
import type { Verdict } from './verdict.js';

/** One arm in numbers; null where there is nothing to measure it by. */
export interface ArmStatistics {
  readonly arm: Arm;
  readonly labels: number;
  readonly annotators: number;
  readonly meanSeconds: number | null;
  /** Dollars for a pair: seconds x wage. */
  readonly costUsd: number | null;
  /** Share of labels that are the network's verdict. */
  readonly sameAsNetwork: number | null;
  /** Cohen's kappa of labels and the network. */
  readonly kappaWithNetwork: number | null;
  /** Share of labels that are the gold verdict. */
  readonly sameAsGold: number | null;
  /** Krippendorff's alpha of annotators on pairs that several decided. */
  readonly betweenAnnotators: number | null;
}

/** Both arms, and how many times faster people are with the network. */
export interface AssistStatistics {
  readonly arms: readonly ArmStatistics[];
  readonly speedUp: number | null;
  /** Dollars for a pair of the network's calls; null where no price is known. */
  readonly networkCostUsd: number | null;
}

/**
 * The statistics of annotations.
 *
 * @param wage - dollars an hour, null where unknown.
 */
export function assistStatistics(
  samples: readonly JudgedSample[],
  annotations: readonly Annotation[],
  wage: number | null,
): AssistStatistics {
  const byId = new Map(samples.map((sample) => [sample.id, sample]));
  const arms = (['alone', 'assisted'] as const)
    .map((arm) => armStatistics(arm, annotations, { byId, wage }))
    .filter(({ labels }) => labels > 0);
  const seconds = (arm: Arm) => arms.find((one) => one.arm === arm)?.meanSeconds ?? null;
  const [alone, assisted] = [seconds('alone'), seconds('assisted')];
  const costs = samples.map(({ costUsd }) => costUsd);
  const total = costs.includes(null) ? null : costs.reduce<number>((sum, usd) => sum + usd!, 0);
  return {
    arms,
    speedUp: alone === null || assisted === null || assisted === 0 ? null : alone / assisted,
    networkCostUsd: total === null || samples.length === 0 ? null : total / samples.length,
  };
}

interface ArmContext {
  readonly byId: ReadonlyMap<string, JudgedSample>;
  readonly wage: number | null;
}

const secondsAnHour = 3600;

function armStatistics(
  arm: Arm,
  annotations: readonly Annotation[],
  { byId, wage }: ArmContext,
): ArmStatistics {
  const own = annotations.flatMap((annotation) =>
    annotation.arm === arm && annotation.label !== null
      ? [{ ...annotation, label: annotation.label }]
      : [],
  );
  const pairsWith = (verdictOf: (sample: JudgedSample) => Verdict | null) =>
    own.flatMap(({ id, label }) => {
      const sample = byId.get(id);
      const verdict = sample === undefined ? null : verdictOf(sample);
      return verdict === null ? [] : [{ label, verdict }];
    });
  const network = pairsWith(({ verdict }) => verdict);
  const meanSeconds = meanOf(own.flatMap(({ seconds }) => (seconds === null ? [] : [seconds])));
  const votes = new Map<string, Verdict[]>();
  for (const { id, label } of own) votes.set(id, [...(votes.get(id) ?? []), label]);
  return {
    arm,
    labels: own.length,
    annotators: new Set(own.map(({ annotator }) => annotator)).size,
    meanSeconds,
    costUsd: meanSeconds === null || wage === null ? null : (meanSeconds / secondsAnHour) * wage,
    sameAsNetwork: shareSame(network),
    kappaWithNetwork:
      network.length === 0
        ? null
        : cohenKappa(
            network.map(({ label }) => label),
            network.map(({ verdict }) => verdict),
          ),
    sameAsGold: shareSame(pairsWith(({ gold }) => gold)),
    betweenAnnotators: krippendorffAlpha(votes.values()),
  };
}

const shareSame = (pairs: readonly { label: Verdict; verdict: Verdict }[]): number | null =>
  meanOf(pairs.map(({ label, verdict }) => Number(label === verdict)));

function meanOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
