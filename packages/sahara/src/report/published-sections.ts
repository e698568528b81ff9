/**
 * A run's numbers beside those that the paper prints.
 */
import { type ComparisonRow, comparisonTable, type RichCell, type Section } from '@lab/report';
import type { ArmResult } from '../arms.js';
import {
  type PaperModel,
  publishedAverages,
  type PublishedChanges,
  publishedChanges,
  publishedCorrections,
  publishedMethods,
} from '../published.js';
import type { EvaluatedArms } from './response-sections.js';
import type { RunContents } from './run-contents.js';
import { type ResponseFacts, responseFacts } from './run-facts.js';
import { successChange } from './success-change.js';

/** A run of responses with what its arms come to. */
export interface PublishableRun {
  readonly name: string;
  readonly contents: Pick<RunContents, 'record' | 'responses'>;
  readonly evaluated: EvaluatedArms;
}

interface PlacedRun extends PublishableRun {
  readonly facts: ResponseFacts;
}

/**
 * Sections that put runs beside tables 1, 3, 5 and 7 and the averages of the paper; none for runs
 * of other models.
 *
 * A run belongs to a table by the names of its model and its file of prompts, and by its ablation.
 *
 * @param asked - the model of the paper that runs stand for, whatever their folders are called.
 */
export function publishedSections(
  runs: readonly PublishableRun[],
  asked: PaperModel | null = null,
): Section[] {
  const placed = runs.map((run): PlacedRun => ({ ...run, facts: responseFacts(run.contents) }));
  const models = new Set(placed.flatMap(({ facts }) => asked ?? facts.paper.model ?? []));
  return [...models].flatMap((model) => {
    const own = placed.filter(({ facts }) => (asked ?? facts.paper.model) === model);
    return [
      ...averageSection(own, model),
      ...changeSections(own, model),
      ...methodSection(own, model),
      ...correctionSections(own, model),
    ];
  });
}

const COUNTS = [1, 2, 3, 4, 5] as const;

/** Tables 3 and 5: a section for each of their rows that a run has. */
function changeSections(runs: readonly PlacedRun[], model: PaperModel): Section[] {
  return publishedChanges.flatMap((published): Section[] => {
    if (published.model !== model) return [];
    const own = runs.filter(
      (run) =>
        isOfRow(run.facts, published) && COUNTS.some((count) => armOf(run, count) !== undefined),
    );
    const values = Object.fromEntries(
      COUNTS.flatMap((count) => {
        const found = own.flatMap((run) => changeOf(run, count) ?? [])[0];
        return found === undefined ? [] : [[`heads${count}`, found] as const];
      }),
    );
    if (Object.keys(values).length === 0) return [];
    const { table, level, ablation, data, changes, mean } = published;
    const words = level === 'query' ? 'heads of each prompt' : 'one group';
    return [
      {
        heading: `Paper, table ${table}: ${ablation}, ${words}, ${data}`,
        text: `Change of attack success without 1 to 5 heads. ${conditions(own)}`,
        table: comparisonTable({
          metrics: [
            ...COUNTS.map((count) => ({
              ...({ key: `heads${count}`, kind: 'number', decimals: 2 } as const),
              label: count === 1 ? '1 head' : `${count} heads`,
            })),
            { key: 'mean', label: 'Mean', kind: 'number', decimals: 2 },
          ],
          rows: [
            { source: 'ours', label: namesOf(own), values: { ...values, mean: meanOf(values) } },
            {
              ...{ source: 'paper', label: `Table ${table}` },
              values: {
                ...Object.fromEntries(COUNTS.map((count, at) => [`heads${count}`, changes[at]!])),
                mean,
              },
            },
          ],
        }),
      },
    ];
  });
}

const isOfRow = (
  { paper, level }: ResponseFacts,
  published: Pick<PublishedChanges, 'ablation' | 'data' | 'level'>,
): boolean =>
  paper.data === published.data &&
  paper.ablation === published.ablation &&
  level === published.level;

/** Mean over 1 to 5 heads, where all are there. */
function meanOf(values: Readonly<Record<string, RichCell>>): RichCell {
  const numbers = Object.values(values).map(({ value }) => Number(value));
  if (numbers.length < COUNTS.length) return { value: null, note: 'not all sizes were run' };
  return { value: numbers.reduce((sum, value) => sum + value, 0) / numbers.length };
}

/** The arm of a run without so many heads; none where it has no such. */
function armOf({ evaluated, facts }: PlacedRun, count: number): ArmResult | undefined {
  const ofSize = evaluated.counted.find(({ arm }) => Number.parseInt(arm, 10) === count);
  return ofSize ?? (facts.headCount === count ? wholeArm(evaluated) : undefined);
}

/** Change of attack success of a run without so many heads; null where it has no such arm. */
function changeOf(run: PlacedRun, count: number): RichCell | null {
  const arm = armOf(run, count);
  if (arm === undefined || run.evaluated.intact === undefined) return null;
  const { responses, record } = run.contents;
  const change = successChange(responses, ['intact', arm.arm], record.seed);
  return change && { value: change.estimate, low: change.low, high: change.high };
}

/** The arm without all the heads of a run; none of course correction and of single heads. */
const wholeArm = ({ arms }: EvaluatedArms): ArmResult | undefined =>
  arms.find(({ arm }) => arm === 'ablated');

const rateCell = ({ rate }: ArmResult): RichCell => ({
  ...{ value: rate.share, low: rate.low, high: rate.high },
});

/** The averages over data sets, of runs without each prompt's own first head. */
function averageSection(runs: readonly PlacedRun[], model: PaperModel): Section[] {
  const published = publishedAverages.find((one) => one.model === model)!;
  const own = runs.flatMap((run) => {
    const { facts, evaluated } = run;
    const first = armOf(run, 1);
    const isMeant =
      facts.level === 'query' && facts.paper.ablation === 'UA' && facts.paper.data !== null;
    return isMeant && first !== undefined && evaluated.intact !== undefined
      ? [{ run, intact: evaluated.intact, first }]
      : [];
  });
  if (own.length === 0) return [];
  const sets = new Set(own.map(({ run }) => run.facts.paper.data));
  const average = (pick: (one: (typeof own)[number]) => ArmResult): RichCell => ({
    value: own.reduce((sum, one) => sum + pick(one).rate.share, 0) / own.length,
    note: `${sets.size} of 3 data sets`,
  });
  return [
    {
      heading: 'Paper, averages of figure 2a',
      text:
        'Attack success intact, and of each prompt without its own first head. ' +
        conditions(own.map(({ run }) => run)),
      table: comparisonTable({
        metrics: [
          { key: 'intact', label: 'Intact', kind: 'share', decimals: 2 },
          { key: 'first', label: 'Without the first head', kind: 'share', decimals: 2 },
        ],
        rows: [
          {
            ...{ source: 'ours', label: namesOf(own.map(({ run }) => run)) },
            values: { intact: average((one) => one.intact), first: average((one) => one.first) },
          },
          {
            ...{ source: 'paper', label: 'Section 3' },
            values: { intact: published.intact, first: published.firstHead },
          },
        ],
      }),
    },
  ];
}

/** Table 1: a group for all prompts by UA beside other methods. */
function methodSection(runs: readonly PlacedRun[], model: PaperModel): Section[] {
  const methods = publishedMethods.filter((one) => one.model === model);
  const own = runs.flatMap((run) => {
    const { facts } = run;
    const isMeant = facts.level === 'data set' && facts.paper.ablation === 'UA';
    const arm = armOf(run, 3);
    return isMeant && arm !== undefined ? [{ run, arm }] : [];
  });
  const [first] = own;
  if (methods.length === 0 || first === undefined) return [];
  const { overSamples } = first.arm;
  const spread = overSamples === null ? {} : { deviation: overSamples.deviation };
  const rows: ComparisonRow[] = [
    {
      ...{ source: 'ours', label: first.run.name },
      values: { success: { ...rateCell(first.arm), ...spread }, granularity: 'head' },
    },
    ...methods.map(
      ({ method, success, deviation, changedParameters, ...rest }): ComparisonRow => ({
        ...{ source: 'paper', label: method },
        values: {
          success: { value: success, deviation },
          changed: changedParameters,
          granularity: { value: rest.granularity, note: `here: ${rest.command}` },
        },
      }),
    ),
  ];
  return [
    {
      heading: 'Paper, table 1: other ways to take refusals out',
      text: `Attack success, mean and deviation over samples. ${conditions([first.run])}`,
      table: comparisonTable({
        metrics: [
          { key: 'success', label: 'Attack success', kind: 'share', decimals: 2 },
          { key: 'granularity', label: 'What is changed' },
          { key: 'changed', label: 'Changed parameters' },
        ],
        rows,
      }),
    },
  ];
}

const CORRECTIONS = ['opening', 'opening-ua', 'opening-sc', 'ua', 'sc'] as const;

/** Table 7: with and without an affirmative opening. */
function correctionSections(runs: readonly PlacedRun[], model: PaperModel): Section[] {
  return runs.flatMap((run): Section[] => {
    const { facts, evaluated } = run;
    const arms = new Map(evaluated.arms.map((one) => [one.arm, one]));
    const published = publishedCorrections.find(
      (one) => one.model === model && one.data === facts.paper.data,
    );
    if (published === undefined || !CORRECTIONS.every((name) => arms.has(name))) return [];
    return [
      {
        heading: `Paper, table 7: course correction, ${published.data}`,
        text: `Attack success with an affirmative opening and without. ${conditions([run])}`,
        table: comparisonTable({
          metrics: [
            { key: 'opening', label: 'Opening', kind: 'share', decimals: 2 },
            { key: 'opening-ua', label: 'Opening, UA', kind: 'share', decimals: 2 },
            { key: 'opening-sc', label: 'Opening, SC', kind: 'share', decimals: 2 },
            { key: 'ua', label: 'UA', kind: 'share', decimals: 2 },
            { key: 'sc', label: 'SC', kind: 'share', decimals: 2 },
          ],
          rows: [
            {
              ...{ source: 'ours', label: run.name },
              values: Object.fromEntries(
                CORRECTIONS.map((name) => [name, rateCell(arms.get(name)!)]),
              ),
            },
            { source: 'paper', label: 'Table 7', values: published.success },
          ],
        }),
      },
    ];
  });
}

const namesOf = (runs: readonly PlacedRun[]): string =>
  [...new Set(runs.map(({ name }) => name))].join(', ');

/** How ours was made, so that nobody compares what cannot be compared. */
function conditions(runs: readonly PlacedRun[]): string {
  const each = (pick: (run: PlacedRun) => string) => [...new Set(runs.map(pick))].join(' and ');
  const count = each(({ evaluated }) => String(evaluated.intact?.promptCount ?? 0));
  return (
    `Ours: ${count} prompts, ${each(({ facts }) => facts.format)} format, ` +
    `${each(({ facts }) => facts.decoding)} decoding, judged by ` +
    `${each(({ facts }) => facts.judge)}, ${each(({ facts }) => facts.model)}. The paper: 100 ` +
    'prompts of each set (AdvBench 520), its template, judged by its list of phrases ' +
    '(sahara-paper).'
  );
}
