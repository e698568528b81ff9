import type { RankingMetrics } from '@lab/metrics';
import type { EvidenceThresholds } from './evidence/evidence.js';

/** Metrics of both directions: KG1 to KG2 and back. */
export interface AlignmentMetrics {
  readonly forward: RankingMetrics;
  readonly backward: RankingMetrics;
  /** From where on each kind of evidence counted, where pairs are scored by evidence. */
  readonly evidence?: EvidenceThresholds;
}

/** The numbers that tables of experiments and comparisons have. */
export function tableNumbers({ forward, backward }: AlignmentMetrics): Record<string, number> {
  return {
    'H@1': forward['hits@1']!,
    'H@10': forward['hits@10']!,
    MRR: forward.mrr,
    'H@1 backward': backward['hits@1']!,
  };
}
