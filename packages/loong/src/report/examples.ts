/**
 * Questions that show at a glance what goes right and wrong.
 */
import type { Example, ExampleSet } from '@lab/report';
import { answerText } from '../record.js';
import type { ScoredRecord } from '../scored-record.js';
import { subtaskOf } from '../tasks.js';

const shownOfEach = 5;
const titleLength = 110;
const textLength = 1500;

/** The last questions answered perfectly, and those with the lowest scores, evenly spaced. */
export function recordExamples(scored: readonly ScoredRecord[]): ExampleSet {
  const known = scored.filter(({ score }) => score !== null);
  const right = spaced(known.filter(({ score }) => score === 100));
  const wrong = spaced(
    known.filter(({ score }) => score! < 100).toSorted((a, b) => a.score! - b.score!),
  );
  return {
    text: 'Perfect answers, and others from the lowest score to the highest.',
    items: [...right, ...wrong].map(exampleOf),
  };
}

function spaced<T>(items: readonly T[]): T[] {
  const step = Math.max(1, items.length / shownOfEach);
  const count = Math.min(items.length, shownOfEach);
  return Array.from({ length: count }, (_, at) => items[Math.floor(at * step)]!);
}

const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length)}…`;

function exampleOf({ record, score, response, explanation, answer }: ScoredRecord): Example {
  const asked = (record.question || record.instruction).replace(/\s+/g, ' ');
  const dropped = answer?.docsDropped.length ?? 0;
  return {
    verdict: score === 100 ? 'right' : 'wrong',
    title: cut(asked, titleLength),
    facts: [
      { label: 'kind', value: subtaskOf(record) },
      { label: 'score', value: String(score) },
      {
        label: 'documents',
        value: `${record.doc.length}${dropped > 0 ? `, ${dropped} left out` : ''}`,
      },
    ],
    text: [
      `GOLD\n${cut(answerText(record.answer), textLength)}`,
      `ANSWER\n${cut(response, textLength)}`,
      ...(explanation === '' ? [] : [`JUDGEMENT\n${cut(explanation, textLength)}`]),
    ].join('\n\n'),
  };
}
