/**
 * Sections of the page of a run.
 */
import { formatPercent, formatShare } from '@lab/core';
import type { CaptionedFigure, Section, Table } from '@lab/report';
import type { Consistency } from '../consistency.js';
import {
  causalSentence,
  doseFigure,
  gapFigure,
  graftFigure,
  sourceName,
} from '../figures/graft-figures.js';
import {
  consistencyFigure,
  entropyFigure,
  kindShareFigures,
  pathFigures,
  tokenFigure,
} from '../figures/lens-figures.js';
import {
  classFigure,
  confusionFigure,
  controlName,
  fisherFigure,
  headFigure,
  probeName,
  separationFigure,
} from '../figures/probe-figures.js';
import { cosineFigure, learningFigure, transferFigure } from '../figures/run-figures.js';
import { directionFigure, planeFigure } from '../figures/state-figures.js';
import type { GraftResult } from '../graft-result.js';
import type { LensResult } from '../lens-result.js';
import type { ProbeResult } from '../probe-result.js';
import type { SteerResult } from '../steer-result.js';
import { bestProbe, type RunResults } from './read-run.js';

/** Probes, controls and the states themselves. */
export async function probeSections({ probes, collection }: RunResults): Promise<Section[]> {
  const plane = await planeFigure(collection.store);
  if (probes === null) return [{ heading: 'States', figures: [plane] }];
  const { report, probe } = bestProbe(probes);
  const classes = classFigure(probes.states, probe.probe);
  const more = [
    await directionFigure(collection.store, { ...collection.config, ...probes.settings }),
    separationFigure(probes.states),
    fisherFigure(probes.states),
  ].filter((one) => one !== null);
  return [
    {
      heading: 'Probes',
      figures: [
        confusionFigure(report, probe),
        ...(classes === null ? [] : [classes]),
        ...(probes.heads === undefined ? [] : [headFigure(probes.heads)]),
        ...(probes.learning === undefined ? [] : [learningFigure(probes.learning)]),
      ],
      table: probeTable(probes),
    },
    {
      heading: 'What the texts alone tell',
      text:
        'The same split, no model: a probe says something about the model only where it is above ' +
        'all of these.',
      table: controlTable(probes),
    },
    { heading: 'States', figures: [plane, ...more] },
  ];
}

function probeTable({ states, controls }: ProbeResult): Table {
  const kinds = states[0]?.probes.map(({ probe }) => probe) ?? [];
  const hasRandom = states.some(({ probes }) => probes.some(({ randomLabels }) => randomLabels));
  const strongest = controls.reduce((most, { accuracy }) => Math.max(most, accuracy), 0);
  return {
    caption: `Accuracy by state${strongest > 0 ? `; texts alone ${formatShare(strongest)}` : ''}`,
    columns: [
      { key: 'state', label: 'State', kind: 'count' },
      ...kinds.map((kind) => ({
        ...({ key: kind, kind: 'share', best: 'highest' } as const),
        label: probeName(kind),
      })),
      ...(hasRandom ? [{ key: 'random', label: 'Random labels', kind: 'share' } as const] : []),
      { key: 'balanced', label: 'Balanced', kind: 'share' },
      { key: 'remark', label: 'Remark' },
    ],
    rows: states.map(({ state, probes, degenerateFeatures }) => ({
      state,
      ...Object.fromEntries(
        probes.map(({ probe, accuracy, interval: { low, high } }) => [
          probe,
          { value: accuracy, low, high },
        ]),
      ),
      random: probes.find(({ randomLabels }) => randomLabels)?.randomLabels?.accuracy ?? null,
      balanced: probes[0]?.balancedAccuracy ?? null,
      remark: degenerateFeatures
        ? 'all rows are the same'
        : probes.every(({ converged }) => converged)
          ? ''
          : 'stopped early',
    })),
  };
}

function controlTable({ controls }: ProbeResult): Table {
  return {
    caption: 'Text baselines',
    columns: [
      { key: 'name', label: 'Baseline' },
      { key: 'accuracy', label: 'Accuracy', kind: 'share', best: 'highest' },
      { key: 'balanced', label: 'Balanced', kind: 'share' },
      { key: 'auroc', label: 'AUROC', kind: 'share' },
    ],
    rows: controls.map(({ control, accuracy, interval, balancedAccuracy, auroc }) => ({
      name: controlName(control),
      accuracy: { value: accuracy, low: interval.low, high: interval.high },
      balanced: balancedAccuracy,
      auroc: auroc ?? { value: null, note: 'two classes only' },
    })),
  };
}

/** What probes of this run tell on other sets. */
export function transferSections({ transfers }: Pick<RunResults, 'transfers'>): Section[] {
  if (transfers.length === 0) return [];
  const figures = transfers.flatMap((one) => {
    const cosines = cosineFigure(one);
    return [transferFigure(one), ...(cosines === null ? [] : [cosines])];
  });
  return [{ heading: 'Elsewhere', figures }];
}

/** What each state would say. */
export function lensSections({ lens }: RunResults): Section[] {
  if (lens === null) return [];
  const { classes, middleStates } = lens;
  const followed = classes.flatMap(({ label, followed: paths }) =>
    paths.map((path) => ({ label, path })),
  );
  const figures: CaptionedFigure[] = [
    ...classes.map((one) => tokenFigure(one, middleStates)),
    ...kindShareFigures(classes),
    ...(followed.length === 0 ? [] : pathFigures(followed)),
    entropyFigure(classes),
  ];
  return [
    {
      heading: 'What the lens says',
      text: readingText(lens),
      figures,
    },
    {
      heading: 'Consistency',
      text:
        'How alike the middle states speak over all prompts of a class. In the paper models with ' +
        'higher consistency on malicious prompts resist attacks better.',
      figures: [consistencyFigure(classes)],
      table: {
        caption: 'Top-K Intermediate Consistency',
        columns: [
          { key: 'label', label: 'Class' },
          { key: 'all', label: 'All tokens', kind: 'share' },
          { key: 'negative', label: 'Negative tokens', kind: 'share' },
        ],
        rows: classes.map(({ label, consistency, negativeConsistency }) => ({
          label,
          all: consistencyCell(consistency),
          negative: consistencyCell(negativeConsistency),
        })),
      },
    },
  ];
}

function readingText({ tunedLens, patchscope, norm }: LensResult): string {
  if (patchscope !== null) {
    return (
      `The last token of each prompt, put at the end of “${patchscope}” behind as many blocks: ` +
      'what the later blocks make of it.'
    );
  }
  const how = tunedLens === null ? 'The logit lens' : 'A tuned lens';
  const twice = norm === 'official' ? ', the final norm twice at the last state' : '';
  return (
    `${how} on the last token of each prompt: final norm and output as if the pass ended ` +
    `there${twice}.`
  );
}

const consistencyCell = ({ value, interval }: Consistency) => ({
  value,
  ...(interval === null ? {} : { low: interval.low, high: interval.high }),
});

/** What a state of one class does in the pass of another. */
export function graftSection(result: GraftResult): Section {
  const { points, donors, recipients, settings, responses, bestState, lens } = result;
  const words = responses?.map(
    ({ source, refusalShare, answerShare }) =>
      `${source === 'none' ? 'without a graft' : `graft of ${sourceName(source)}`}: ` +
      `${formatPercent(refusalShare)} refused, ${formatPercent(answerShare)} answered`,
  );
  const semantics =
    settings.semantics === 'clean'
      ? 'The last position alone is replaced, behind the block.'
      : 'As the released code does it: the block of the graft is skipped for the context.';
  const whole = words === undefined ? '' : ` Whole responses: ${words.join('; ')}.`;
  return {
    heading: 'Logit Grafting',
    text:
      `States of ${donors.prompts.length} ${donors.label} prompts put into ` +
      `${recipients.prompts.length} ${recipients.label} ones. ${semantics}${whole}`,
    figures: [
      graftFigure(points, donors.label),
      gapFigure(points),
      ...(lens === null
        ? []
        : [
            tokenFigure(
              { label: `${recipients.label}, grafted at state ${bestState},`, table: lens.with },
              [],
            ),
            ...kindShareFigures(
              [
                { label: 'without a graft', table: lens.without },
                { label: `grafted at state ${bestState}`, table: lens.with },
              ],
              ', behind a graft',
            ).slice(0, 2),
          ]),
    ],
  };
}

/** What adding and removing the probe's direction does. */
export function steerSection({ state, probe, classes, towards }: SteerResult): Section {
  const sentences = classes.map(
    ({ label, causal }) => `Of ${label} prompts ${causalSentence(causal)}`,
  );
  return {
    heading: 'Steering',
    text:
      `The direction of the ${probeName(probe)} at state ${state}, towards ${towards}. ` +
      sentences.join(' '),
    figures: [doseFigure(classes)],
  };
}
