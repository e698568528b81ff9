/**
 * Figures of attention patterns before and after an ablation.
 */
import { type CaptionedFigure, heatmapPanels } from '@lab/report';

/** The pattern of one head on one text. */
export interface NamedPattern {
  /** What was done, such as `intact` or `q, eps 0.001`. */
  readonly name: string;
  /** `[T, T]`: row t has the weights of query t on the keys 0..t; what lies beyond is left out. */
  readonly pattern: readonly ArrayLike<number>[];
}

/** What patterns are of. */
export interface PatternFigureOptions {
  /** Head, as `layer-head`. */
  readonly head: string;
  readonly title?: string;
  /** Panels side by side; default 3. */
  readonly columns?: number;
}

/**
 * Attention patterns of one head beside each other (the paper, figures 1, 7 and 8).
 *
 * Shades are the weights, from 0 to 1, on one scale for all.
 */
export function attentionPatterns(
  patterns: readonly NamedPattern[],
  { head, title = `Where head ${head} looks`, columns = 3 }: PatternFigureOptions,
): CaptionedFigure {
  return {
    figure: heatmapPanels({
      ...{ title, columns, rowLabel: 'query', columnLabel: 'key' },
      panels: patterns.map(({ name, pattern }) => ({
        title: name,
        values: pattern.map((row, t) =>
          Array.from(pattern, (_, s) => (s <= t ? (row[s] ?? Number.NaN) : Number.NaN)),
        ),
      })),
      value: { label: 'attention weight', domain: [0, 1] },
    }),
    caption:
      'Each row is a token that looks, each column one that is looked at. Where all that a row ' +
      'may see has the same shade, the head no longer chooses.',
  };
}
