/** What annotations say, as a table. */
import { formatNumber, formatPercent, formatShare } from '@lab/core';
import { table } from '@lab/core/cli';
import { assistStatistics } from '../annotation-statistics.js';
import type { Annotation } from '../annotations.js';
import type { JudgedSample } from '../judged-sample.js';
import { usd } from './result-text.js';

/** Both arms side by side, and how many times faster people are with the network. */
export function annotationText(
  samples: readonly JudgedSample[],
  annotations: readonly Annotation[],
  wage: number | null,
): string {
  const { arms, speedUp, networkCostUsd } = assistStatistics(samples, annotations, wage);
  const share = (value: number | null) => (value === null ? 'n/a' : formatPercent(value));
  const kappa = (value: number | null) => (value === null ? 'n/a' : formatShare(value));
  const rows = arms.map((arm) => ({
    'people are': arm.arm,
    labels: arm.labels,
    annotators: arm.annotators,
    'seconds a pair': arm.meanSeconds === null ? 'n/a' : formatNumber(arm.meanSeconds),
    'cost a pair': usd(arm.costUsd),
    'same as network': share(arm.sameAsNetwork),
    kappa: kappa(arm.kappaWithNetwork),
    'same as gold': share(arm.sameAsGold),
    'between annotators': kappa(arm.betweenAnnotators),
  }));
  const faster =
    speedUp === null ? '' : `people are ${formatNumber(speedUp)} times as fast with it\n`;
  return `${table(rows)}${faster}calls of the network cost ${usd(networkCostUsd)} a pair\n`;
}
