/**
 * Where in a prompt a class can be read, on the page of a run.
 */
import { formatPercent, formatShare } from '@lab/core';
import type { Section } from '@lab/report';
import { offsetFigure, positionFigure } from '../figures/position-figures.js';
import type { PositionName, PositionReport, PositionResult } from '../positions.js';
import type { RunResults } from './read-run.js';

/** The state at which any way to read prompts does best, the first of equal ones. */
const bestOf = ({ states }: PositionResult): PositionReport =>
  states.reduce((most, one) => (highest(one.positions) > highest(most.positions) ? one : most));

const highest = (list: readonly { readonly accuracy: number }[]): number =>
  Math.max(...list.map(({ accuracy }) => accuracy));

/** The result in one sentence. */
export function positionSentence(result: PositionResult): string {
  const { state, positions } = bestOf(result);
  const accuracyOf = (name: PositionName) =>
    formatPercent(positions.find(({ position }) => position === name)?.accuracy ?? Number.NaN);
  return (
    `At state ${state} a probe that chooses its tokens tells ${accuracyOf('attention')} of ` +
    `held-out prompts, one of the last token ${accuracyOf('last')}, one of the mean of all ` +
    `tokens ${accuracyOf('mean')}.`
  );
}

/** The section; none where positions were not compared. */
export function positionSections({ positions }: Pick<RunResults, 'positions'>): Section[] {
  if (positions === null) return [];
  const offsets = offsetFigure(positions);
  const { state, positions: best } = bestOf(positions);
  const share = best.find(({ position }) => position === 'attention')?.lastShare ?? null;
  return [
    {
      heading: 'Which tokens tell',
      text:
        `${positions.promptCount} prompts, the shortest of ${positions.fewestTokens} tokens.` +
        (share === null
          ? ''
          : ` At state ${state} the probe that chooses its tokens gives the last one ` +
            `${formatShare(share)} of its attention.`),
      figures: [positionFigure(positions), ...(offsets === null ? [] : [offsets])],
    },
  ];
}
