/**
 * Tables of several networks on the same pairs: by class, category, ability and data set.
 */
import { type CaptionedFigure, groupedBarPlot, type Section, type Table } from '@lab/report';
import type { Agreement, GroupMetrics } from '../evaluate.js';
import type { ShownNetwork } from './compare-figures.js';

type Groups = 'byAbility' | 'byCategory' | 'byDataset';

/** Precision, recall and F1 over the classes, and recall of each; undefined without people. */
export function classTable(shown: readonly ShownNetwork[]): Table | undefined {
  const rated = withPeople(shown);
  if (rated.length === 0) return undefined;
  const column = (key: string, label: string) =>
    ({ key, label, kind: 'share', best: 'highest' }) as const;
  return {
    caption: 'Means over the verdicts of people, and the share of each that is found. ★ best.',
    columns: [
      { key: 'name', label: 'Run' },
      column('precision', 'Precision'),
      column('recall', 'Recall'),
      column('f1', 'F1'),
      column('1', 'Answer 1 found'),
      column('2', 'Answer 2 found'),
      column('tie', 'Ties found'),
    ],
    rows: rated.map(({ name, agreement: { overall } }) => ({
      name,
      ...overall.macro,
      ...overall.recall,
    })),
  };
}

/** A section for each way to group pairs that has several groups. */
export function groupSections(shown: readonly ShownNetwork[]): Section[] {
  const rated = withPeople(shown);
  const ways = [
    ['Categories', 'byCategory'],
    ['Abilities', 'byAbility'],
    ['Data sets', 'byDataset'],
  ] as const;
  return ways.flatMap(([heading, groups]) => {
    const names = namesOf(rated, groups);
    if (names.length < 2) return [];
    // Of data sets there may be many: their table is enough.
    const figures = groups === 'byDataset' ? [] : [groupFigure(heading, rated, groups)];
    return [{ heading, figures, table: groupTable(heading, rated, groups) }];
  });
}

interface Rated {
  readonly name: string;
  readonly agreement: Agreement;
}

function withPeople(shown: readonly ShownNetwork[]): Rated[] {
  return shown.flatMap(({ name, evaluation: { agreement } }) =>
    agreement === null ? [] : [{ name, agreement }],
  );
}

const namesOf = (rated: readonly Rated[], groups: Groups): string[] => [
  ...new Set(rated.flatMap(({ agreement }) => agreement[groups].map(({ name }) => name))),
];

const groupOf = ({ agreement }: Rated, groups: Groups, name: string): GroupMetrics | undefined =>
  agreement[groups].find((group) => group.name === name);

function groupTable(heading: string, rated: readonly Rated[], groups: Groups): Table {
  const fields = ['accuracy', 'kappa'] as const;
  return {
    caption: `${heading}: accuracy and kappa`,
    columns: [
      { key: 'name', label: heading },
      { key: 'n', label: 'Pairs', kind: 'count' },
      ...rated.flatMap(({ name }) =>
        fields.map((field) => {
          const [key, label] = [`${name} ${field}`, `${name}: ${field}`];
          return { key, label, kind: 'share' } as const;
        }),
      ),
    ],
    rows: namesOf(rated, groups).map((name) => ({
      name,
      n: groupOf(rated[0]!, groups, name)?.n ?? null,
      ...Object.fromEntries(
        rated.flatMap((one) => {
          const group = groupOf(one, groups, name);
          return fields.map((field) => [`${one.name} ${field}`, group?.[field].value ?? null]);
        }),
      ),
    })),
  };
}

function groupFigure(heading: string, rated: readonly Rated[], groups: Groups): CaptionedFigure {
  return {
    figure: groupedBarPlot({
      title: `Agreement by ${groups === 'byAbility' ? 'ability' : 'category'}`,
      value: { label: 'kappa', format: 'share' },
      groups: namesOf(rated, groups).map((name) => ({
        label: name,
        bars: rated.flatMap((one) => {
          const kappa = groupOf(one, groups, name)?.kappa;
          if (kappa === undefined) return [];
          // Bars start at 0, and chance is there.
          const [value, low, high] = [kappa.value, kappa.low, kappa.high].map((end) =>
            Math.max(0, end),
          );
          return [{ label: one.name, value: value!, low: low!, high: high! }];
        }),
      })),
    }),
    caption: `${heading} of the pairs; whiskers are 95 % intervals, a kappa below 0 is drawn as 0.`,
  };
}
