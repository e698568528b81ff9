/**
 * What scores by evidence are worth where rows are wrong, images say nothing, or seeds are few.
 */
import type { AblationCell, AblationGroup, Corruption, Rival } from './cell.js';

/** A condition of the data. */
interface Condition {
  readonly name: string;
  readonly label: string;
  readonly corruption?: Corruption;
  /** Share of the links that are seeds. */
  readonly seeds?: number;
}

const swapped = (percent: number): Condition => ({
  name: `swap-${percent}`,
  label: `${percent} % of the rows of other entities`,
  corruption: { kind: 'swap-rows', probability: percent / 100 },
});

const conditions: readonly Condition[] = [
  { name: 'clean', label: 'as they are' },
  swapped(10),
  swapped(30),
  swapped(50),
  {
    name: 'noise-images',
    label: 'random vectors as images',
    corruption: { kind: 'noise-images', probability: 1 },
  },
  { name: 'few-seeds', label: '5 % seeds', seeds: 0.05 },
];

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

/** Both scores on clean, faulty and few data, beside models of the graph alone. */
export function evidenceGroup(seedShare: number): AblationGroup {
  const possible = conditions.filter(({ seeds = 0 }) => seeds <= seedShare);
  return {
    name: 'evidence',
    title: 'Scores by evidence',
    caption: 'No link beside the seeds is read; both scores are of the same trained model.',
    cells: possible.flatMap(({ name, label, corruption, seeds }) =>
      rivals.map(({ series, ...rival }) => ({
        ...rival,
        id: `evidence/${name}, ${series}`,
        label: `${label}, ${series}`,
        ...(corruption === undefined ? {} : { corruption }),
        ...(seeds === undefined ? {} : { seedShare: seeds / seedShare }),
      })),
    ),
  };
}
