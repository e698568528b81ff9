/**
 * Runs on retrieved chunks beside those on whole documents.
 */
import { barPlot, type CaptionedFigure, linePlot, type Section, type Table } from '@lab/report';
import { compareScores } from '../compare.js';
import type { EvaluateOptions, Evaluation } from '../evaluate.js';
import {
  publishedElsewhere,
  publishedModels,
  publishedRecall,
  publishedRetrieval,
} from '../published.js';
import { publishedGains } from '../published-details.js';
import type { ScoredRecord } from '../scored-record.js';
import { setsOf } from '../tasks.js';
import { meanLength } from './figures.js';

/** A run, and the chunks that its prompts were made of. */
export interface RetrievalRun {
  readonly name: string;
  readonly evaluation: Evaluation;
  readonly scored: readonly ScoredRecord[];
  /** What found the chunks, and how many; null for whole documents. */
  readonly retrieval: { readonly retriever: string; readonly topK: number } | null;
}

/** Nothing where no run retrieves; its figures need a run on whole documents beside them. */
export function retrievalSections(
  runs: readonly RetrievalRun[],
  options: EvaluateOptions = {},
): Section[] {
  const retrieving = runs.filter(({ retrieval }) => retrieval !== null);
  if (retrieving.length === 0) return [];
  const baseline = runs.find(({ retrieval }) => retrieval === null);
  const difference = baseline === undefined ? null : bySetFigure(retrieving, baseline, options);
  return [
    {
      heading: 'Retrieval',
      text:
        baseline === undefined
          ? 'No run on whole documents is compared: add one to see what retrieval gains.'
          : `Beside "${baseline.name}", which reads whole documents.`,
      figures: [settingsFigure(runs), ...(difference === null ? [] : [difference])],
      table: retrievalTable(runs),
    },
  ];
}

function settingsFigure(runs: readonly RetrievalRun[]): CaptionedFigure {
  const bars = runs.flatMap(({ name, evaluation, retrieval }) => {
    const score = evaluation.overall.averageScore;
    if (score === null) return [];
    const what = retrieval === null ? 'whole documents' : `${retrieval.topK} chunks`;
    const { value, low, high } = score;
    const series = retrieval?.retriever ?? 'whole documents';
    return [{ label: `${name} (${what})`, value, low, high, series }];
  });
  return {
    figure: barPlot({
      title: 'Score by what the prompt holds',
      value: { label: 'average score', domain: [0, 100] },
      bars,
    }),
    caption: 'Chunks pay where the documents do not fit. Whiskers are 95 % bootstrap intervals.',
  };
}

/** What retrieval gains over whole documents, by length; null for one set. */
function bySetFigure(
  retrieving: readonly RetrievalRun[],
  baseline: RetrievalRun,
  options: EvaluateOptions,
): CaptionedFigure | null {
  const sets = setsOf(baseline.scored.map(({ record }) => record));
  const lengthOf = new Map(
    sets.map((set) => {
      const own = baseline.scored.filter(({ record }) => record.set === set);
      return [`set ${set}`, meanLength(own.map(({ record }) => record))];
    }),
  );
  const series = retrieving.map((run) => {
    const { pairs } = compareScores([run, baseline], options);
    const points = (pairs[0]?.bySet ?? []).flatMap(({ name, difference }) => {
      const x = lengthOf.get(name);
      if (difference === null || x === undefined) return [];
      return [{ x, y: difference.estimate, low: difference.low, high: difference.high }];
    });
    return { name: run.name, points };
  });
  if (series.every(({ points }) => points.length < 2)) return null;
  return {
    figure: linePlot({
      title: 'What retrieval gains, by length',
      x: { label: 'mean length of a set', unit: 'thousand tokens', hasZero: true },
      y: { label: 'score minus that on whole documents' },
      series,
      references: [{ y: 0, label: 'whole documents' }],
    }),
    caption:
      'Paired differences of the same questions; above the line chunks are better. Bands are ' +
      '95 % bootstrap intervals.',
  };
}

function retrievalTable(runs: readonly RetrievalRun[]): Table {
  const sets = setsOf(runs.flatMap(({ scored }) => scored.map(({ record }) => record)));
  return {
    caption: 'Average score by set, and perfect rate of all',
    columns: [
      { key: 'name', label: 'Run' },
      { key: 'retriever', label: 'Found by' },
      { key: 'chunks', label: 'Chunks', kind: 'count' },
      { key: 'all', label: 'all', kind: 'number', decimals: 2, best: 'highest' },
      { key: 'perfect', label: 'perfect rate', kind: 'share', best: 'highest' },
      ...sets.map(
        (set) => ({ key: `set ${set}`, label: `set ${set}`, kind: 'number', decimals: 2 }) as const,
      ),
    ],
    rows: runs.map(({ name, evaluation: { overall, bySet }, retrieval }) => ({
      name,
      retriever: retrieval?.retriever ?? 'whole documents',
      chunks: retrieval?.topK ?? null,
      all: overall.averageScore === null ? null : { ...overall.averageScore },
      perfect: overall.perfectRate === null ? null : { ...overall.perfectRate },
      ...Object.fromEntries(bySet.map((set) => [set.name, set.averageScore?.value ?? null])),
    })),
  };
}

/** What the paper prints of retrieval: overall scores by embedding and number of chunks. */
export function publishedRetrievalSection(): Section {
  const none = ['GPT-4o', 'Qwen2-72B-Instruct'].flatMap((generator) => {
    const found = publishedModels.find(({ name }) => name === generator);
    return found === undefined
      ? []
      : [{ generator, embedding: 'whole documents', topK: null, score: found.overall }];
  });
  return {
    heading: 'Retrieval in the paper',
    table: {
      caption: 'Chunks of 1,024 tokens; the judge was GPT-4-turbo-2024-04-09.',
      columns: [
        { key: 'generator', label: 'Model' },
        { key: 'embedding', label: 'Found by' },
        { key: 'topK', label: 'Chunks', kind: 'count' },
        { key: 'score', label: 'Average score', kind: 'number', decimals: 2 },
        { key: 'perfect', label: 'Perfect rate', kind: 'share' },
      ],
      rows: [...none, ...publishedRetrieval].map(({ generator, embedding, topK, score }) => ({
        ...{ generator, embedding, topK, score: score[0], perfect: score[1] },
      })),
    },
  };
}

/** Where the paper finds that chunks do better than whole documents. */
export function publishedGainsSection(): Section {
  const score = (key: string, label: string) =>
    ({ key, label, kind: 'number', decimals: 2 }) as const;
  return {
    heading: 'Where retrieval helps in the paper',
    text:
      'Two places are told: questions beyond the window, and locating by a model that reads long ' +
      'prompts badly. Its other scores by set are not at hand.',
    table: {
      caption: 'Average scores of a part of the questions',
      columns: [
        { key: 'generator', label: 'Model' },
        { key: 'part', label: 'Questions' },
        { key: 'embedding', label: 'Found by' },
        { key: 'topK', label: 'Chunks', kind: 'count' },
        score('whole', 'Whole documents'),
        score('retrieved', 'Chunks instead'),
      ],
      rows: publishedGains.map((gain) => ({ ...gain })),
    },
  };
}

/** What the paper prints of the same models on other benchmarks. */
export function publishedElsewhereSection(): Section {
  const column = (key: string, label: string) =>
    ({ key, label, kind: 'number', decimals: 2 }) as const;
  return {
    heading: 'Other benchmarks in the paper',
    text: 'Models that find a needle in a haystack are not those that join many documents.',
    table: {
      caption: 'Scores of the same models, as the paper prints them',
      columns: [
        { key: 'name', label: 'Model' },
        column('loong', 'Loong'),
        column('ruler', 'RULER'),
        column('noCha', 'NoCha'),
      ],
      rows: publishedElsewhere.map((row) => ({ ...row })),
    },
  };
}

/** What the paper prints of recall: the share of questions whose chunks touch every document. */
export function publishedRecallTable(ks: readonly number[]): Table {
  return {
    caption: 'In the paper, financial reports: share of questions with all documents',
    columns: [
      { key: 'embedding', label: 'Found by' },
      { key: 'chunkTokens', label: 'Tokens of a chunk', kind: 'count' },
      ...ks.map((k) => ({ key: `${k}`, label: `best ${k}`, kind: 'share' }) as const),
    ],
    rows: publishedRecall.map(({ embedding, chunkTokens, recall }) => ({
      ...{ embedding, chunkTokens },
      ...Object.fromEntries(ks.map((k, at) => [`${k}`, recall[at] ?? null])),
    })),
  };
}
