import type { RankingMetrics } from '@lab/metrics';

/** Metrics of both directions: KG1 to KG2 and back. */
export interface AlignmentMetrics {
  readonly forward: RankingMetrics;
  readonly backward: RankingMetrics;
}
