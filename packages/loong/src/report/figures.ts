/**
 * Figures of a run and of several.
 */
import {
  barPlot,
  type CaptionedFigure,
  groupedBarPlot,
  heatmap,
  linePlot,
  type LineSeries,
  scatterPlot,
} from '@lab/report';
import type { Evaluation, GroupScores } from '../evaluate.js';
import { publishedModels } from '../published.js';
import type { LoongRecord } from '../record.js';
import type { ScoredRecord } from '../scored-record.js';
import {
  levels,
  setsOf,
  setStarts,
  shortTaskNames,
  subtaskOf,
  subtasks,
  taskNames,
} from '../tasks.js';
import { groupScores } from '../evaluate.js';

const scoreAxis = { label: 'average score', domain: [0, 100] } as const;

/** Mean length of the questions of a set, in thousands of tokens. */
export function meanLength(records: readonly LoongRecord[]): number {
  const sum = records.reduce((total, { length }) => total + length, 0);
  return sum / Math.max(1, records.length) / 1000;
}

/** Average score against length, a line for each task; null for one set. */
export function lengthFigure(
  evaluation: Evaluation,
  scored: readonly ScoredRecord[],
): CaptionedFigure | null {
  const sets = setsOf(scored.map(({ record }) => record));
  if (sets.length < 2) return null;
  const present = levels.filter((level) => scored.some(({ record }) => record.level === level));
  const series: LineSeries[] = present.map((level, row) => ({
    name: taskNames[level],
    points: sets.flatMap((set, column) => {
      const score = evaluation.byLevelAndSet[row]?.[column]?.averageScore;
      if (score === null || score === undefined) return [];
      const own = scored.filter(({ record }) => record.set === set).map(({ record }) => record);
      return [{ x: meanLength(own), y: score.value, low: score.low, high: score.high }];
    }),
  }));
  return {
    figure: linePlot({
      title: 'Score by length and task',
      x: { label: 'mean length of a set', unit: 'thousand tokens', hasZero: true },
      y: scoreAxis,
      series: series.filter(({ points }) => points.length > 0),
    }),
    caption:
      'Where a line falls, the model no longer finds or joins the evidence of all documents. ' +
      'Bands are 95 % bootstrap intervals.',
  };
}

/** Average scores by task and set as a heat map. */
export function taskSetFigure(
  evaluation: Evaluation,
  scored: readonly ScoredRecord[],
): CaptionedFigure {
  const sets = setsOf(scored.map(({ record }) => record));
  const present = levels.filter((level) => scored.some(({ record }) => record.level === level));
  return {
    figure: heatmap({
      title: 'Score by task and set',
      rows: present.map((level) => taskNames[level]),
      columns: sets.map((set) => `set ${set}`),
      rowLabel: 'task',
      columnLabel: 'length set',
      values: evaluation.byLevelAndSet.map((row) =>
        row.map(({ averageScore }) => averageScore?.value ?? Number.NaN),
      ),
      value: { label: 'average score', domain: [0, 100] },
    }),
    caption: 'Average score, 0 to 100; an empty cell has no scored question.',
  };
}

/** Average scores of groups as bars. */
export function groupFigure(title: string, groups: readonly GroupScores[]): CaptionedFigure | null {
  const known = groups.flatMap(({ name, n, averageScore }) =>
    averageScore === null ? [] : [{ name, n, ...averageScore }],
  );
  if (known.length < 2) return null;
  return {
    figure: barPlot({
      title,
      value: scoreAxis,
      bars: known.map(({ name, n, value, low, high }) => ({
        label: `${name} (n = ${n})`,
        ...{ value, low, high },
      })),
    }),
    caption: 'Whiskers are 95 % bootstrap intervals.',
  };
}

/** Share of questions that did not get all documents, by set; null where all did. */
export function truncationFigure({ truncation }: Evaluation): CaptionedFigure | null {
  if (truncation.every(({ truncated }) => truncated === 0)) return null;
  return {
    figure: groupedBarPlot({
      title: 'Documents that did not fit',
      value: { label: 'share', format: 'share', domain: [0, 1] },
      groups: truncation.map(({ set, n, truncated, droppedShare }) => ({
        label: `set ${set} (n = ${n})`,
        bars: [
          { label: 'questions without all documents', value: truncated },
          { label: 'documents left out', value: droppedShare },
        ],
      })),
    }),
    caption:
      'A score on questions that lack documents is partly one of the window: what was left out ' +
      'cannot be found.',
  };
}

/** Spotlight scores by where the evidence stood; null where that is not known. */
export function positionFigure({ byPosition }: Evaluation): CaptionedFigure | null {
  const figure = groupFigure('Spotlight by the place of the evidence', byPosition);
  return (
    figure && {
      figure: figure.figure,
      caption: 'From the beginning of the documents (0 %) to their end; 95 % bootstrap intervals.',
    }
  );
}

/** Perfect rate against average score, with the models of the paper. */
export function perfectFigure(
  runs: readonly { readonly name: string; readonly evaluation: Evaluation }[],
): CaptionedFigure {
  const own = runs.flatMap(({ name, evaluation: { overall } }) =>
    overall.averageScore === null || overall.perfectRate === null
      ? []
      : [{ x: overall.averageScore.value, y: overall.perfectRate.value, name }],
  );
  const paper = publishedModels.map(({ name, overall: [x, y] }) => ({ x, y, name }));
  const pointsOf = (all: typeof own) => all.map(({ x, y, name }) => ({ x, y, label: name }));
  return {
    figure: scatterPlot({
      title: 'Perfect rate against average score',
      x: scoreAxis,
      y: { label: 'perfect rate', format: 'share', hasZero: true },
      series: [
        { name: 'here', points: pointsOf(own) },
        { name: 'in the paper, on Loong', points: pointsOf(paper) },
      ],
    }),
    caption: 'Far right and low: answers that are nearly right. Compare only runs on all of Loong.',
  };
}

/** How many questions there are of which length. */
export function lengthHistogram(records: readonly LoongRecord[]): CaptionedFigure {
  const most = Math.max(...records.map(({ length }) => length));
  const width = most > setStarts[3] ? 30_000 : Math.max(1000, Math.ceil(most / 10 / 1000) * 1000);
  const count = Math.min(10, Math.floor(most / width) + 1);
  const bars = Array.from({ length: count }, (_, bin) => {
    const isLast = bin === count - 1;
    const own = records.filter(({ length }) => Math.floor(length / width) === bin);
    const rest = isLast ? records.filter(({ length }) => length >= count * width) : [];
    const from = (bin * width) / 1000;
    const label =
      isLast && rest.length > 0 ? `${from}K and more` : `${from}K to ${from + width / 1000}K`;
    return { label, value: own.length + rest.length };
  });
  return {
    figure: barPlot({ title: 'Questions by length', value: { label: 'questions' }, bars }),
    caption: 'Tokens of the prompt with all documents, in cl100k_base.',
  };
}

/** Average scores of several runs by set. */
export function runsBySetFigure(
  runs: readonly {
    readonly name: string;
    readonly evaluation: Evaluation;
    readonly scored: readonly ScoredRecord[];
  }[],
): CaptionedFigure | null {
  const series = runs.map(({ name, evaluation, scored }) => {
    const sets = setsOf(scored.map(({ record }) => record));
    return {
      name,
      points: evaluation.bySet.flatMap(({ averageScore }, index) => {
        if (averageScore === null) return [];
        const own = scored.filter(({ record }) => record.set === sets[index]);
        const { value: y, low, high } = averageScore;
        return [{ x: meanLength(own.map(({ record }) => record)), y, low, high }];
      }),
    };
  });
  if (series.every(({ points }) => points.length < 2)) return null;
  return {
    figure: linePlot({
      title: 'Score by length',
      x: { label: 'mean length of a set', unit: 'thousand tokens', hasZero: true },
      y: scoreAxis,
      series,
    }),
    caption: 'The same questions for each run; bands are 95 % bootstrap intervals.',
  };
}

/** Runs by task and set as one heat map. */
export function runsHeatmap(
  runs: readonly { readonly name: string; readonly scored: readonly ScoredRecord[] }[],
): CaptionedFigure {
  const all = runs.flatMap(({ scored }) => scored);
  const sets = setsOf(all.map(({ record }) => record));
  const present = levels.filter((level) => all.some(({ record }) => record.level === level));
  const columns = present.flatMap((level) => sets.map((set) => ({ level, set })));
  return {
    figure: heatmap({
      title: 'Runs by task and set',
      rows: runs.map(({ name }) => name),
      columns: columns.map(({ level, set }) => `${shortTaskNames[level]} ${set}`),
      rowLabel: 'run',
      columnLabel: 'task and set',
      values: runs.map(({ scored }) =>
        columns.map(({ level, set }) => {
          const own = scored.filter(({ record }) => record.level === level && record.set === set);
          const { averageScore } = groupScores('cell', own, { resamples: 100 });
          return averageScore?.value ?? Number.NaN;
        }),
      ),
      value: { label: 'average score', domain: [0, 100] },
    }),
    caption: 'Average score of each run, 0 to 100.',
  };
}

/** Numbers of questions by kind and set. */
export function countsTable(records: readonly LoongRecord[]) {
  const sets = setsOf(records);
  return subtasks
    .filter((subtask) => records.some((record) => subtaskOf(record) === subtask))
    .map((subtask) => {
      const own = records.filter((record) => subtaskOf(record) === subtask);
      const documents = own.reduce((sum, { doc }) => sum + doc.length, 0) / own.length;
      return {
        kind: subtask,
        level: own[0]!.level,
        n: own.length,
        documents: Number(documents.toFixed(1)),
        ...Object.fromEntries(
          sets.map((set) => [`set ${set}`, own.filter((one) => one.set === set).length]),
        ),
      };
    });
}
