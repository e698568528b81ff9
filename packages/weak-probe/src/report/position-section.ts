/**
 * Where in a prompt a class can be read, on the page of a run.
 */
import { formatShare } from '@lab/core';
import type { Section } from '@lab/report';
import { offsetFigure, positionFigure } from '../figures/position-figures.js';
import type { RunResults } from './read-run.js';

/** The section; none where positions were not compared. */
export function positionSections({ positions }: Pick<RunResults, 'positions'>): Section[] {
  if (positions === null) return [];
  const offsets = offsetFigure(positions);
  const best = positions.states.reduce((most, one) =>
    highest(one.positions) > highest(most.positions) ? one : most,
  );
  const share = best.positions.find(({ position }) => position === 'attention')?.lastShare ?? null;
  return [
    {
      heading: 'Which tokens tell',
      text:
        `${positions.promptCount} prompts, the shortest of ${positions.fewestTokens} tokens.` +
        (share === null
          ? ''
          : ` At state ${best.state} the probe that chooses its tokens gives the last one ` +
            `${formatShare(share)} of its attention.`),
      figures: [positionFigure(positions), ...(offsets === null ? [] : [offsets])],
    },
  ];
}

const highest = (list: readonly { readonly accuracy: number }[]): number =>
  Math.max(...list.map(({ accuracy }) => accuracy));
