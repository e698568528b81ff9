/** Ways to choose a counterpart. */
export const matchings = ['best', 'mutual', 'greedy', 'sinkhorn'] as const;

/** One of {@link matchings}. */
export type Matching = (typeof matchings)[number];
