const NAMES: Record<string, string> = {
  mrr: 'MRR',
  meanRank: 'mean rank',
  ece: 'ECE',
  auroc: 'AUROC',
  f1: 'F1',
  kl: 'KL',
};

/**
 * The name under which a number of `results` or `metrics.jsonl` is shown: `metrics.forward.hits@1`
 * is "H@1, forward". The same metric so has the same name in tables, figures and terminals.
 */
export function metricLabel(path: string): string {
  const parts = path.replace(/^metrics\./, '').split('.');
  const last = parts.pop() ?? path;
  const name = NAMES[last] ?? last.replace(/^hits@/, 'H@');
  if (parts.length === 0) return name;
  return name === last ? `${parts.join(' ')} ${last}` : `${name}, ${parts.join(' ')}`;
}

const SHARES = /hits@|mrr|f1|accuracy|auroc|ece$|brier|precision|recall|share|weights\./i;

/** Whether a number lies in 0..1 by its nature and is written as `.612`. */
export function isShareMetric(path: string): boolean {
  return SHARES.test(path);
}
