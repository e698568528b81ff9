/**
 * The table in which questions are browsed.
 */
import type { Table } from '@lab/report';
import { coverageNames } from '../coverage.js';
import { answerText } from '../record.js';
import type { ScoredRecord } from '../scored-record.js';
import { subtaskOf } from '../tasks.js';

/** Rows of the table of questions that a page holds; evenly spaced over all. */
const shownQuestions = 400;
const shownCharacters = 700;

/** Questions with what was answered and judged, and the documents of the prompt. */
export function questionTable(scored: readonly ScoredRecord[]): Table {
  const step = Math.max(1, scored.length / shownQuestions);
  const shown = Array.from(
    { length: Math.min(scored.length, shownQuestions) },
    (_, at) => scored[Math.floor(at * step)]!,
  );
  const note = shown.length < scored.length ? ` (${shown.length} of ${scored.length})` : '';
  return {
    caption: `Questions${note}`,
    pageRows: 10,
    columns: [
      { key: 'id', label: 'Question', kind: 'code' },
      { key: 'kind', label: 'Kind' },
      { key: 'length', label: 'Tokens', kind: 'count' },
      { key: 'coverage', label: 'Prompt' },
      { key: 'score', label: 'Score', kind: 'number', decimals: 0 },
      { key: 'exchange', label: 'What was said', kind: 'block' },
    ],
    rows: shown.map((one) => ({
      id: one.record.id.slice(0, 8),
      kind: `${subtaskOf(one.record)}, set ${one.record.set}`,
      length: one.record.length,
      coverage: coverageNames[one.coverage],
      score: one.score ?? { value: null, note: one.missing ?? 'no score' },
      exchange: exchangeText(one),
    })),
  };
}

function exchangeText({ record, response, explanation, answer }: ScoredRecord): string {
  const cut = (text: string) =>
    text.length > shownCharacters ? `${text.slice(0, shownCharacters)} [cut]` : text;
  const parts = [
    ['ASKED', record.question || record.instruction],
    ['GOLD', answerText(record.answer)],
    ['ANSWER', response],
    ['JUDGEMENT', explanation],
    ['DOCUMENTS', documentsText(answer)],
  ];
  return parts
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `${name}\n${cut(text!)}`)
    .join('\n\n');
}

function documentsText(answer: ScoredRecord['answer']): string {
  if (answer === null) return '';
  const { docsUsed, docsDropped } = answer;
  const dropped = docsDropped.length === 0 ? '' : `\nLEFT OUT\n${docsDropped.join('\n')}`;
  return `${docsUsed.join('\n')}${dropped}`;
}
