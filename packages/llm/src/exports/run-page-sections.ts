/**
 * The sections of a run's page: what was asked, what came back, how long it took.
 */
import { formatCount, formatCounted } from '@lab/core';
import type { Section, Table } from '@lab/report';
import { cutText, type RunDigest, type ShownRow } from './run-digest.js';
import { latencyFigure, timelineFigure } from './run-page-figures.js';
import type { RunPageInput } from './run-page-input.js';

const statusWords: Readonly<Record<string, string>> = {
  ok: 'answered',
  length: 'answer cut at its most tokens',
  refusal: 'refused by the model',
  'content-filter': 'stopped by a content filter',
  'context-length': 'prompt longer than the context',
  parse: 'answer that does not fit the schema',
  truncated: 'prompt or answer cut short',
};

/** A status in words; one that a program set of its own stands as it is. */
export const wordsOf = (status: string): string => statusWords[status] ?? status;

/** Rows of a table that stand on the page at a time. */
const pageRows = 10;
const maxIdLength = 120;

/** All sections, in order; those without content are left out. */
export function runSections(input: RunPageInput): Section[] {
  return [
    askedSection(input),
    outcomeSection(input),
    answersSection(input),
    problemsSection(input),
    failuresSection(input.digest),
    structuredSection(input),
    timeSection(input),
  ].filter((section) => section !== null);
}

function askedSection({ source, example }: RunPageInput): Section | null {
  const blocks = [
    { label: 'System message', text: source.system },
    { label: 'Prompt', text: source.prompt },
    { label: 'Schema of answers', text: source.schema },
    {
      label: `What row ${cutText(example?.id ?? '', maxIdLength)} was asked`,
      text: example?.text,
    },
  ].flatMap(({ label, text }) =>
    text === undefined ? [] : [{ label, text: cutText(text, 20_000) }],
  );
  if (blocks.length === 0) return null;
  return {
    heading: 'What was asked',
    text: 'Slots in double braces are filled from the fields of each row.',
    blocks,
  };
}

function outcomeSection({ digest, totalRows }: RunPageInput): Section {
  const { byStatus, finished, failed } = digest;
  const counts = [...byStatus].map(([status, rows]) => ({ status, words: wordsOf(status), rows }));
  if (failed > 0) {
    counts.push({
      status: 'failed',
      words: 'no answer from the server; asked again',
      rows: failed,
    });
  }
  const waiting = totalRows === null ? 0 : Math.max(0, totalRows - finished - failed);
  if (waiting > 0) counts.push({ status: '', words: 'not asked yet', rows: waiting });
  const all = finished + failed + waiting;
  const table: Table = {
    caption: `${formatCount(all)} rows by how they ended`,
    columns: [
      { key: 'words', label: 'Outcome' },
      { key: 'status', label: 'Status', kind: 'code' },
      { key: 'rows', label: 'Rows', kind: 'count' },
      { key: 'share', label: 'Share', kind: 'percent' },
    ],
    rows: counts.map((entry) => ({ ...entry, share: entry.rows / Math.max(1, all) })),
  };
  return { heading: 'Outcomes', table };
}

function rowsTable(rows: readonly ShownRow[], input: RunPageInput, hasProblem: boolean): Table {
  const { questions } = input;
  const hasQuestion = rows.some(({ id }) => questions.has(id));
  return {
    columns: [
      { key: 'id', label: 'Row' },
      ...(hasQuestion ? [{ key: 'question', label: 'Asked', kind: 'block' as const }] : []),
      ...(hasProblem ? [{ key: 'status', label: 'Status' }] : []),
      { key: 'text', label: hasProblem ? 'What came back' : 'Answer', kind: 'block' },
    ],
    rows: rows.map(({ id, status, text, problem }) => ({
      id: cutText(id, maxIdLength),
      question: questions.get(id) ?? '',
      status: { value: wordsOf(status), note: problem ?? undefined },
      text: text === '' && hasProblem ? { value: null, note: 'nothing' } : text,
    })),
    pageRows,
  };
}

function answersSection(input: RunPageInput): Section | null {
  const { answers, byStatus } = input.digest;
  if (answers.length === 0) return null;
  return {
    heading: 'Answers',
    text: sampleWords(answers.length, byStatus.get('ok') ?? 0, 'answers'),
    table: { ...rowsTable(answers, input, false), caption: 'Answers' },
  };
}

function problemsSection(input: RunPageInput): Section | null {
  const { problems, byStatus, finished } = input.digest;
  if (problems.length === 0) return null;
  const all = finished - (byStatus.get('ok') ?? 0);
  return {
    heading: 'Rows without a whole answer',
    text:
      'These rows are finished: a run that goes on does not ask them again. ' +
      sampleWords(problems.length, all, 'such rows'),
    table: { ...rowsTable(problems, input, true), caption: 'Rows without a whole answer' },
  };
}

function sampleWords(shown: number, all: number, what: string): string {
  if (shown === all)
    return all === 1 ? `One ${what.replace(/s$/, '')}.` : `All ${formatCount(all)} ${what}.`;
  return (
    `${formatCount(shown)} of ${formatCount(all)} ${what}, evenly spaced, so that this page ` +
    'stays small; all stand in predictions.jsonl, and in a table after "llm export".'
  );
}

function failuresSection({ failures, failed }: RunDigest): Section | null {
  if (failed === 0) return null;
  return {
    heading: 'Failed rows',
    text:
      `${formatCounted(failed, 'row')} got no answer for reasons of the server or the network. ` +
      'Resuming the run asks them again.',
    table: {
      caption: 'Failed rows by reason',
      columns: [
        { key: 'kind', label: 'Reason' },
        { key: 'httpStatus', label: 'HTTP status', kind: 'code' },
        { key: 'count', label: 'Rows', kind: 'count' },
        { key: 'id', label: 'For example' },
        { key: 'message', label: 'What the client says', kind: 'block' },
      ],
      rows: failures.map(({ kind, httpStatus, count, id, message }) => ({
        ...{ kind, count, id: cutText(id, maxIdLength), message: cutText(message) },
        httpStatus: httpStatus === null ? { value: null, note: 'none' } : `${httpStatus}`,
      })),
    },
  };
}

const originWords: Readonly<Record<string, string>> = {
  direct: 'fits as it came',
  repaired: 'fits after mending its text',
  'repaired-by-call': 'fits after a further call',
};

function structuredSection({ digest }: RunPageInput): Section | null {
  const { byOrigin, byStatus } = digest;
  if (byOrigin.size === 0) return null;
  const counts = [...byOrigin].map(([origin, rows]) => ({
    words: originWords[origin] ?? origin,
    rows,
  }));
  for (const [status, words] of [
    ['parse', 'does not fit'],
    ['truncated', 'cut short'],
  ] as const) {
    const rows = byStatus.get(status) ?? 0;
    if (rows > 0) counts.push({ words, rows });
  }
  const all = counts.reduce((sum, { rows }) => sum + rows, 0);
  return {
    heading: 'Structured answers',
    text:
      'How far answers had to be mended to fit the schema. Publish these shares beside scores: a ' +
      'model that needs repair is not compared with one that never does.',
    table: {
      caption: 'Answers in JSON',
      columns: [
        { key: 'words', label: 'An answer' },
        { key: 'rows', label: 'Rows', kind: 'count' },
        { key: 'share', label: 'Share', kind: 'percent' },
      ],
      rows: counts.map((entry) => ({ ...entry, share: entry.rows / Math.max(1, all) })),
    },
  };
}

function timeSection(input: RunPageInput): Section | null {
  const { digest, timeline } = input;
  const figures = [latencyFigure(digest), timelineFigure(timeline)].filter((one) => one !== null);
  const { byRequests } = digest;
  if (byRequests.size === 0) return null;
  const rows = [...byRequests.values()].reduce((sum, count) => sum + count, 0);
  return {
    heading: 'Time and requests',
    figures,
    table: {
      caption: 'Rows by the requests that they took, retries included',
      columns: [
        { key: 'requests', label: 'Requests' },
        { key: 'rows', label: 'Rows', kind: 'count' },
        { key: 'share', label: 'Share', kind: 'percent' },
      ],
      rows: [...byRequests].map(([requests, count]) => ({
        requests: requests === 0 ? '0 (answers from the cache)' : formatCount(requests),
        rows: count,
        share: count / rows,
      })),
    },
  };
}
