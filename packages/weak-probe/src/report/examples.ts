/**
 * Prompts that the best probe tells right and wrong, the surest first.
 */
import { formatNumber } from '@lab/core';
import type { Example, ExampleSet } from '@lab/report';
import { probeName } from '../figures/probe-figures.js';
import { bestProbe, type RunResults } from './read-run.js';

/** Of each kind, at most. */
const MOST = 10;

/** Examples of a run; none where there are no predictions. */
export function predictionExamples({
  probes,
  predictions,
  collection,
}: Pick<RunResults, 'collection' | 'predictions' | 'probes'>): ExampleSet {
  if (probes === null) return { items: [] };
  const { report, probe } = bestProbe(probes);
  const texts = new Map(collection.prompts.map(({ id, prompt }) => [id, prompt]));
  const own = predictions.filter(
    ({ state, probe: kind, split }) =>
      state === report.state && kind === probe.probe && split === 0,
  );
  const sure = own.toSorted((a, b) => sureness(b.margins) - sureness(a.margins));
  const example = (one: (typeof own)[number]): Example => {
    const text = texts.get(one.id);
    return {
      verdict: one.label === one.predicted ? 'right' : 'wrong',
      title: one.id,
      facts: [
        { label: 'class', value: one.label },
        { label: 'probe says', value: one.predicted },
        { label: 'margin', value: formatNumber(sureness(one.margins)) },
      ],
      ...(text === undefined ? {} : { text }),
    };
  };
  const right = sure.filter(({ label, predicted }) => label === predicted);
  const wrong = sure.filter(({ label, predicted }) => label !== predicted);
  return {
    text:
      `Held-out prompts at state ${report.state}, by the ` +
      `${probeName(probe.probe)}: those it is surest of.`,
    items: [...spread(right), ...wrong.slice(0, MOST)].map(example),
  };
}

/** The first of each class in turn, so that all classes are shown. */
function spread<T extends { readonly label: string }>(sorted: readonly T[]): T[] {
  const labels = [...new Set(sorted.map(({ label }) => label))];
  const each = Math.ceil(MOST / Math.max(1, labels.length));
  return labels.flatMap((label) => sorted.filter((one) => one.label === label).slice(0, each));
}

/** How far a score is from its threshold. */
const sureness = (margins: readonly number[]): number =>
  margins.reduce((most, margin) => Math.max(most, Math.abs(margin)), 0);
