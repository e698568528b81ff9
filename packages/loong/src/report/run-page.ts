/**
 * The page of a run.
 */
import { join } from 'node:path';
import { formatCount, formatPercent, readRunRecord, type RunRecord } from '@lab/core';
import {
  type BigNumber,
  type CaptionedFigure,
  type RunPage,
  type Section,
  type Table,
  writeRunPage,
} from '@lab/report';
import { costRemarks } from '@lab/llm/commands';
import type { Estimate, Evaluation, GroupScores } from '../evaluate.js';
import { publishedModels } from '../published.js';
import type { ScoredRecord } from '../scored-record.js';
import type { JudgePair } from '../several-judges.js';
import { version } from '../version.js';
import { recordExamples } from './examples.js';
import {
  countsTable,
  groupFigure,
  lengthFigure,
  lengthHistogram,
  perfectFigure,
  positionFigure,
  taskSetFigure,
  truncationFigure,
} from './figures.js';
import { cellsTable } from './cells-table.js';
import { judgesSection } from './judges-section.js';
import { questionTable } from './question-table.js';
import { publishedElsewhereSection } from './retrieval.js';
import { settingRows } from './setting-rows.js';

/** What a run found. */
export interface ReportFacts {
  readonly scored: readonly ScoredRecord[];
  readonly evaluation: Evaluation;
  /** Folders of the judgements; null for scores by rule. */
  readonly judges: readonly string[] | null;
  /** Every two judges side by side. */
  readonly pairs?: readonly JudgePair[] | undefined;
}

/**
 * Writes `report.html` into the folder of a run.
 *
 * @returns its path.
 * @throws {DataError} when it cannot be written.
 */
export function writeReport(dir: string, facts: ReportFacts): string {
  const path = join(dir, 'report.html');
  writeRunPage(path, runPage(dir, facts));
  return path;
}

/** The page of a run, for `writeRunPage`. */
export function runPage(
  dir: string,
  { scored, evaluation, judges, pairs = [] }: ReportFacts,
): RunPage {
  const record = readRunRecord(dir);
  const judgements = (judges ?? []).map((folder) => readRunRecord(folder));
  const judged = judges === null ? 'rule' : judgements.map(({ label }) => label).join(' and ');
  const main = lengthFigure(evaluation, scored) ?? taskSetFigure(evaluation, scored);
  const examples = recordExamples(scored);
  return {
    title: `${record.label}: many long documents`,
    eyebrow: `loong run of ${record.start.slice(0, 10)}, ${record.id}, scored by ${judged}`,
    sentence: sentence(evaluation),
    numbers: numbersOf(evaluation),
    mainFigure: main,
    ...(isWholeLoong(scored) ? { comparison: paperComparison(evaluation) } : {}),
    sections: [...sectionsOf(scored, evaluation, main), ...judgesSection(pairs)],
    ...(examples.items.length === 0 ? {} : { examples }),
    cost: costFacts(record, judgements),
    settings: settingRows(record),
    files: record.data,
    command: record.command.length === 0 ? 'started by a program' : record.command.join(' '),
    environment: [
      { label: 'package', value: `@lab/loong ${version}` },
      { label: 'Node', value: String(record.environment['node'] ?? '') },
    ],
    warnings: [
      ...warningsOf(evaluation, record),
      ...[record, ...judgements].flatMap(({ usage }) => costRemarks(usage ?? {})),
    ],
  };
}

function sentence({ overall, bySet }: Evaluation): string {
  const { averageScore, perfectRate, scored, n } = overall;
  if (averageScore === null || perfectRate === null) return 'No question has a score yet.';
  const known = bySet.filter((set) => set.averageScore !== null);
  const [first, last] = [known[0], known.at(-1)];
  const fall =
    known.length < 2
      ? ''
      : `; from ${first!.averageScore!.value.toFixed(1)} in ${first!.name} to ` +
        `${last!.averageScore!.value.toFixed(1)} in ${last!.name}`;
  return (
    `Average score ${averageScore.value.toFixed(1)} of 100 on ${formatCount(scored)} of ` +
    `${formatCount(n)} questions, ${formatPercent(perfectRate.value)} of them perfect${fall}.`
  );
}

function numbersOf({ overall, truncation }: Evaluation): BigNumber[] {
  const { averageScore, perfectRate, scored, n } = overall;
  const cut = truncation.reduce((sum, set) => sum + set.truncated * set.n, 0);
  const all = truncation.reduce((sum, set) => sum + set.n, 0);
  return [
    {
      label: 'Average score',
      value: averageScore === null ? 'none' : averageScore.value.toFixed(1),
      ...(averageScore === null ? {} : { interval: intervalText(averageScore) }),
      reference: `${formatCount(scored)} of ${formatCount(n)} questions scored`,
    },
    {
      label: 'Perfect rate',
      value: perfectRate === null ? 'none' : perfectRate.value,
      ...(perfectRate === null ? {} : { interval: perfectRate }),
    },
    {
      label: 'Without all documents',
      value: all === 0 ? 'n/a' : formatPercent(cut / all),
      reference: 'they did not fit into the window',
    },
  ];
}

const intervalText = ({ low, high }: Estimate): string =>
  `95 %: ${low.toFixed(1)} to ${high.toFixed(1)}`;

const loongQuestions = 1600;

/** Whether these are all questions of the released benchmark. */
export function isWholeLoong(scored: readonly ScoredRecord[]): boolean {
  const types = new Set(scored.map(({ record }) => record.type));
  return scored.length === loongQuestions && types.has('legal') && types.has('paper');
}

function paperComparison({ overall, bySet }: Evaluation) {
  const columns = [
    { key: 'all', label: 'all', kind: 'number', decimals: 2, best: 'highest' } as const,
    ...bySet.map(({ name }) => ({ key: name, label: name, kind: 'number', decimals: 2 }) as const),
  ];
  const cell = (score: Estimate | null) => (score === null ? null : { ...score });
  return {
    caption: 'Average score. Judges differ: the paper asked GPT-4-turbo-2024-04-09.',
    metrics: columns,
    rows: [
      {
        ...({ source: 'ours', label: 'this run' } as const),
        values: {
          all: cell(overall.averageScore),
          ...Object.fromEntries(bySet.map((set) => [set.name, cell(set.averageScore)])),
        },
      },
      ...publishedModels.map(({ name, overall: [all], bySet: sets }) => ({
        ...({ source: 'paper', label: name } as const),
        values: {
          all,
          ...Object.fromEntries(sets.map(([score], index) => [`set ${index + 1}`, score])),
        },
      })),
    ],
  };
}

function sectionsOf(
  scored: readonly ScoredRecord[],
  evaluation: Evaluation,
  main: CaptionedFigure,
): Section[] {
  const present = (figures: readonly (CaptionedFigure | null)[]) =>
    figures.filter((figure) => figure !== null && figure !== main) as CaptionedFigure[];
  const { bySubtask, byDomain, byLanguage, byLevel, bySet, byCoverage } = evaluation;
  // Where all prompts had the same of their documents there is nothing to tell apart.
  const told = byCoverage.length < 2 ? [] : byCoverage;
  const more = told.length === 0 ? ' and sets' : ', sets and what prompts had of the documents';
  const caption = `Tasks${more}`;
  const records = scored.map(({ record }) => record);
  const heat =
    main.figure.title === 'Score by task and set' ? null : taskSetFigure(evaluation, scored);
  const sections: Section[] = [
    {
      heading: 'Scores',
      figures: present([heat]),
      table: scoresTable(caption, [evaluation.overall, ...byLevel, ...bySet, ...told]),
    },
    {
      heading: 'Kinds of questions',
      figures: present([groupFigure('Score by kind of question', bySubtask)]),
      table: scoresTable('Kinds, domains and languages', [
        ...bySubtask,
        ...byDomain,
        ...byLanguage,
      ]),
    },
    {
      heading: 'Length',
      figures: present([
        truncationFigure(evaluation),
        positionFigure(evaluation),
        lengthHistogram(records),
      ]),
      table: countsOf(records),
    },
    { heading: 'Questions', text: questionsText, table: questionTable(scored) },
  ];
  if (isWholeLoong(scored)) {
    const runs = [{ name: 'this run', evaluation }];
    const beside = {
      heading: 'Beside the paper',
      figures: [perfectFigure(runs)],
      table: cellsTable(evaluation),
    };
    sections.splice(1, 0, beside, publishedElsewhereSection());
  }
  return sections;
}

const questionsText =
  'Every question with gold answer, answer, judgement, and the documents that were in the prompt.';

/** Groups of scores as a table. */
export function scoresTable(caption: string, groups: readonly GroupScores[]): Table {
  return {
    caption,
    columns: [
      { key: 'name', label: 'Questions' },
      { key: 'n', label: 'n', kind: 'count' },
      { key: 'score', label: 'Average score', kind: 'number', decimals: 2 },
      { key: 'perfect', label: 'Perfect rate', kind: 'share' },
    ],
    rows: groups.map(({ name, n, missing, averageScore, perfectRate }) => ({
      name,
      n: missing === 0 ? n : { value: n, note: `${formatCount(missing)} without score` },
      score: averageScore === null ? null : { ...averageScore },
      perfect: perfectRate === null ? null : { ...perfectRate },
    })),
  };
}

function countsOf(records: Parameters<typeof countsTable>[0]): Table {
  const rows = countsTable(records);
  const sets = Object.keys(rows[0] ?? {}).filter((key) => key.startsWith('set '));
  return {
    caption: 'Questions by kind and length set',
    columns: [
      { key: 'kind', label: 'Kind' },
      { key: 'level', label: 'Task', kind: 'count' },
      { key: 'n', label: 'n', kind: 'count' },
      { key: 'documents', label: 'Documents, mean', kind: 'number', decimals: 1 },
      ...sets.map((key) => ({ key, label: key, kind: 'count' }) as const),
    ],
    rows,
  };
}

function costFacts(record: RunRecord, judges: readonly RunRecord[]) {
  const factsOf = (who: string, { usage }: RunRecord) => {
    const { promptTokens, completionTokens, costUsd } = (usage ?? {}) as Record<string, unknown>;
    const count = (value: unknown) => (typeof value === 'number' ? formatCount(value) : 'n/a');
    const usd = typeof costUsd === 'number' ? `${costUsd.toFixed(2)} USD` : 'n/a';
    return [
      { label: `${who}, tokens in`, value: count(promptTokens) },
      { label: `${who}, tokens out`, value: count(completionTokens) },
      { label: `${who}, cost`, value: usd },
    ];
  };
  const named = (at: number) => (judges.length === 1 ? 'judge' : `judge ${at + 1}`);
  return [
    ...factsOf('answers', record),
    ...judges.flatMap((judge, at) => factsOf(named(at), judge)),
  ];
}

/** A warning where nobody but a script was asked. */
export function scriptedWarnings(records: readonly RunRecord[]): string[] {
  const isScripted = records.some(({ label }) => label.startsWith('SCRIPTED'));
  return isScripted ? ['A SCRIPTED reader answered: this says nothing about any model.'] : [];
}

function warningsOf({ missing, overall, truncation }: Evaluation, record: RunRecord): string[] {
  const cut = truncation.filter(({ truncated }) => truncated > 0.5).map(({ set }) => `set ${set}`);
  return [
    ...scriptedWarnings([record]),
    ...(record.status === 'success' ? [] : [`The run ended as: ${record.status}.`]),
    ...Object.entries(missing).map(
      ([why, count]) => `${formatCount(count)} of ${formatCount(overall.n)} have no score: ${why}.`,
    ),
    ...(cut.length === 0
      ? []
      : [`More than half of ${cut.join(', ')} lacks documents that did not fit into the window.`]),
  ];
}
