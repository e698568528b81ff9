/**
 * Figures of what an ablation costs besides refusals: tasks, harmless prompts, probes.
 */
import { type CaptionedFigure, scatterPlot } from '@lab/report';
import { spearman } from '@lab/metrics';
import { type NamedShare, type ShareGroup, successBars } from './success-figures.js';

/** Zero-shot accuracy by task, with bars for the intact and the changed models (figure 6b). */
export function utilityBars(tasks: readonly ShareGroup[]): CaptionedFigure {
  return successBars(tasks, {
    title: 'Zero-shot accuracy',
    value: { label: 'accuracy', format: 'share', domain: [0, 1] },
    caption: 'Bars of nearly the same length: the ablation leaves the task alone.',
  });
}

/** Share of harmless prompts that are refused. */
export function overRefusalBars(shares: readonly NamedShare[]): CaptionedFigure {
  return successBars([{ name: 'harmless prompts', shares }], {
    title: 'Harmless prompts that are refused',
    value: { label: 'refused', format: 'share', domain: [0, 1] },
    caption: 'Shorter is better here: these prompts should be answered.',
  });
}

/** A head with how well its output can be read and how much its loss matters. */
export interface ReadableHead {
  readonly name: string;
  /** Accuracy of a linear probe on the head's output. */
  readonly probeAccuracy: number;
  readonly score: number;
}

/**
 * Probe accuracy of heads against their scores: what can be read is not what is used.
 *
 * @param name - of the scores, for the title.
 */
export function probesAgainstScores(
  heads: readonly ReadableHead[],
  unit: string,
  name?: string,
): CaptionedFigure {
  const [accuracies, scores] = [
    heads.map(({ probeAccuracy }) => probeAccuracy),
    heads.map(({ score }) => score),
  ];
  const rho = heads.length > 1 ? spearman(accuracies, scores) : Number.NaN;
  const words = Number.isFinite(rho) ? ` (rank correlation ${rho.toFixed(2)})` : '';
  return {
    figure: scatterPlot({
      title: `What a probe reads and what the model uses${name === undefined ? '' : `: ${name}`}`,
      x: { label: 'accuracy of a linear probe on the head', format: 'share' },
      y: { label: `score (${unit})`, hasZero: true },
      series: [
        {
          name: 'heads',
          points: heads.map(({ name, probeAccuracy, score }) => ({
            ...{ x: probeAccuracy, y: score, label: name },
          })),
        },
      ],
    }),
    caption:
      `From many heads it can be read whether a prompt will be refused; few of them matter ` +
      `when they are gone${words}.`,
  };
}
