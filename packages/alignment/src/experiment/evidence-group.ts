/**
 * What scores by evidence are worth where rows are wrong, images say nothing, or seeds are few.
 */
import type { AblationCell, AblationGroup, Rival } from './cell.js';

/** How a model is trained and scored. */
const rivals: readonly (Rival & Pick<AblationCell, 'scores'>)[] = [
  { series: 'fused vectors', set: {}, scores: 'fused' },
  { series: 'evidence', set: {}, scores: 'evidence' },
  { series: 'graph alone', set: { 'data.modalities': ['graph'] }, scores: 'fused' },
  {
    series: 'graph alone, by evidence',
    set: { 'data.modalities': ['graph'] },
    scores: 'evidence',
  },
];

const caption = 'No link beside the seeds is read; both scores are of the same trained model.';

/** Both scores of models whose attribute and relation rows are partly those of others. */
export const evidenceGroup = (): AblationGroup => ({
  name: 'evidence',
  title: 'Scores by evidence, faulty rows',
  caption,
  axis: { label: 'attribute and relation rows of other entities, %', hasZero: true },
  cells: rivals.flatMap(({ series, ...rival }) =>
    [0, 10, 30, 50].map((percent) => ({
      ...{ ...rival, series, x: percent },
      id: `evidence/${percent === 0 ? 'clean' : `swap-${percent}`}, ${series}`,
      label: `${percent} % of the rows of other entities, ${series}`,
      ...(percent === 0
        ? {}
        : { corruption: { kind: 'swap-rows' as const, probability: percent / 100 } }),
    })),
  ),
});

/** Both scores where images are noise, and where seeds are few. */
export function poorEvidenceGroup(seedShare: number): AblationGroup {
  const noise = rivals.map(({ series, ...rival }) => ({
    ...rival,
    id: `poor-evidence/noise-images, ${series}`,
    label: `random vectors as images, ${series}`,
    corruption: { kind: 'noise-images' as const, probability: 1 },
  }));
  const few = rivals.map(({ series, ...rival }) => ({
    ...rival,
    id: `poor-evidence/few-seeds, ${series}`,
    label: `5 % seeds, ${series}`,
    seedShare: 0.05 / seedShare,
  }));
  const cells = seedShare < 0.05 ? noise : [...noise, ...few];
  return { name: 'poor-evidence', title: 'Scores by evidence, poor data', caption, cells };
}
