/**
 * The page of retrieval alone: how many documents of a question the best chunks touch.
 */
import { type FileRecord, formatCount, formatPercent } from '@lab/core';
import { wilson } from '@lab/metrics';
import { linePlot, type RunPage } from '@lab/report';
import type { LoongConfig } from '../config.js';
import type { RetrievalRecall } from '../rag.js';
import { version } from '../version.js';
import { publishedRecallTable } from './retrieval.js';

/** What the page of recall is made of. */
export interface RecallFacts {
  /** Name of what found the chunks. */
  readonly retriever: string;
  readonly recall: readonly RetrievalRecall[];
  readonly rag: LoongConfig['rag'];
  readonly files: readonly FileRecord[];
  readonly command: readonly string[];
}

/** The page, for `writeRunPage`. */
export function recallPage({ retriever, recall, rag, files, command }: RecallFacts): RunPage {
  const last = recall.at(-1);
  const series = [
    { name: 'all documents', points: recall.map(({ k, allDocuments: y }) => ({ x: k, y })) },
    { name: 'documents, mean', points: recall.map(({ k, meanShare: y }) => ({ x: k, y })) },
  ];
  return {
    title: `Retrieval by ${retriever}`,
    eyebrow: `loong recall, ${formatCount(last?.records ?? 0)} questions`,
    sentence:
      last === undefined
        ? 'Nothing was measured.'
        : `The best ${last.k} chunks touch every document of ${formatPercent(last.allDocuments)} ` +
          `of the questions, and ${formatPercent(last.meanShare)} of their documents on average.`,
    numbers: recall.slice(0, 3).map(({ k, allDocuments, meanShare, records }) => ({
      label: `All documents in the best ${k}`,
      value: allDocuments,
      interval: wilson(Math.round(allDocuments * records), records),
      reference: `${formatPercent(meanShare)} of documents on average`,
    })),
    mainFigure: {
      figure: linePlot({
        title: 'Recall by number of chunks',
        x: { label: 'chunks', hasZero: true },
        y: { label: 'share', format: 'share', domain: [0, 1] },
        series,
      }),
      caption: 'A question whose chunks miss a document cannot be answered from them.',
    },
    sections: [
      {
        heading: 'Recall',
        table: {
          caption: `${retriever}, chunks of ${formatCount(rag.chunkTokens)} tokens`,
          columns: [
            { key: 'k', label: 'Chunks', kind: 'count' },
            { key: 'all', label: 'All documents', kind: 'share' },
            { key: 'share', label: 'Documents, mean', kind: 'share' },
            { key: 'n', label: 'n', kind: 'count' },
          ],
          rows: recall.map(({ k, allDocuments, meanShare, records }) => ({
            ...{ k, all: allDocuments, share: meanShare, n: records },
          })),
        },
      },
      { heading: 'Beside the paper', table: publishedRecallTable(recall.map(({ k }) => k)) },
    ],
    cost: [],
    settings: Object.entries(rag).map(([name, value]) => ({
      ...{ path: `rag.${name}`, value, origin: 'run' },
    })),
    files,
    command: command.join(' '),
    environment: [{ label: 'package', value: `@lab/loong ${version}` }],
    warnings: [],
  };
}
