/**
 * Pairs for people to decide, out and back in.
 */
import { basename } from 'node:path';
import { createRandom, DataError } from '@lab/core';
import { readCsv, writeCsv } from '@lab/core/csv';
import { outcomeEntropy } from './human-assist.js';
import { type JudgedSample, judgedSample } from './judged-sample.js';
import { differenceOf, type Judgement, reviewsOf } from './judgement.js';
import { parseLabel } from './readers/gold-label.js';
import type { Sample } from './sample.js';
import type { Verdict } from './verdict.js';
import { verdictOf } from './verdict.js';

/** Whether an annotator saw what the network says. */
export type Arm = 'alone' | 'assisted';

/** What an annotator is asked. */
export interface AnnotationQuestion {
  readonly id: string;
  readonly question: string;
  readonly answer1: string;
  readonly answer2: string;
  readonly arm: Arm;
  /** What the network says, and its reasons; empty for who judges alone. */
  readonly network: Verdict | '';
  readonly reasons: string;
  /** Entropy of the network's verdicts, nats. */
  readonly uncertainty: number;
}

/** What an annotator says. */
export interface Annotation {
  readonly id: string;
  /** Null where it was left open. */
  readonly label: Verdict | null;
  readonly annotator: string;
  readonly arm: Arm;
  /** Null where nobody took the time. */
  readonly seconds: number | null;
}

/** Headings of the file; `label`, `annotator` and `seconds` are for the annotator to fill. */
export const annotationColumns = [
  ...['id', 'question', 'answer 1', 'answer 2', 'arm', 'network', 'reasons', 'uncertainty'],
  ...['label', 'annotator', 'seconds'],
] as const;

/** Settings of {@link annotationQuestion}. */
export interface ArmOptions {
  /** Half of the pairs without the network's verdict, to measure what it is worth. */
  readonly hasArms: boolean;
  readonly seed: number;
}

/**
 * The question that a sample is to an annotator.
 *
 * @param judgement - null where the network could not judge it.
 */
export function annotationQuestion(
  sample: Sample,
  judgement: Judgement | null,
  { hasArms, seed }: ArmOptions,
): AnnotationQuestion {
  const { id, question, answer1, answer2 } = sample;
  // By the id alone, so that an annotator's pairs do not hang on which others are asked.
  const isAlone = hasArms && createRandom(seed).fork(`arm/${id}`).uniform() < 0.5;
  const judged = judgedSample({
    ...{ id, requestHash: null, status: 'ok', output: judgement, costUsd: null },
    usage: { prompt: 0, completion: 0, cached: 0, reasoning: 0 },
  });
  return {
    ...{ id, question, answer1, answer2 },
    arm: isAlone ? 'alone' : 'assisted',
    network: isAlone ? '' : (judgement?.verdict ?? ''),
    reasons: isAlone || judgement === null ? '' : reasonsFor(judgement),
    uncertainty: outcomeEntropy(judged.outcomes),
  };
}

const shownReasons = 3;

/** Reviews of the last layer that say what the network says, one for each judge. */
function reasonsFor({ verdict, layers }: Judgement): string {
  const texts = (layers.at(-1)?.neurons ?? []).flatMap((neuron) => {
    const review = reviewsOf(neuron).find((one) => {
      const difference = differenceOf(one);
      return difference !== null && verdictOf(difference) === verdict;
    });
    return review === undefined || review.text === '' ? [] : [review.text];
  });
  return texts.slice(0, shownReasons).join('\n\n');
}

/** The fields of a question as a row of the file; the last three are empty. */
export function annotationCells(question: AnnotationQuestion): string[] {
  const { id, question: asked, answer1, answer2, arm, network, reasons, uncertainty } = question;
  const own = [id, asked, answer1, answer2, arm, network, reasons, uncertainty.toFixed(3)];
  return [...own, '', '', ''];
}

/**
 * Resolves when the questions are written as CSV, for a spreadsheet.
 *
 * @throws {DataError} when the file cannot be written.
 */
export async function writeAnnotations(
  path: string,
  questions: readonly AnnotationQuestion[],
): Promise<void> {
  await writeCsv(path, annotationColumns, questions.map(annotationCells));
}

/**
 * The annotations of a file that {@link writeAnnotations} or the page wrote, filled in. Columns
 * that count are `id`, `label` (or `decision`), and, where they are there, `annotator`, `arm` and
 * `seconds`.
 *
 * @throws {DataError} with the line for what is no verdict or no number of seconds.
 */
export async function readAnnotations(path: string): Promise<Annotation[]> {
  const annotations: Annotation[] = [];
  let header: readonly string[] = [];
  const onHeader = (heading: string[]): void => {
    header = heading.map((name) => name.trim().toLowerCase());
    const missing = ['id', 'label'].find(
      (name) => !header.includes(name) && !(name === 'label' && header.includes('decision')),
    );
    if (missing === undefined) return;
    throw new DataError(`${path}: there is no column "${missing}".`, {
      file: path,
      help: 'keep the headings of the file that "widedeep-eval annotate" wrote.',
    });
  };
  await readCsv(path, { header: true, onHeader }, (row, line) => {
    const cell = (name: string): string => row[header.indexOf(name)]?.trim() ?? '';
    const decision = cell('decision');
    const field = decision === '' ? 'label' : 'decision';
    const label = parseLabel(decision === '' ? cell('label') : decision, {
      ...{ file: path, line, field },
    });
    annotations.push({
      id: row[header.indexOf('id')] ?? '',
      label,
      annotator: cell('annotator') || basename(path).replace(/\.[ct]sv$/i, ''),
      arm: cell('arm') === 'alone' ? 'alone' : 'assisted',
      seconds: secondsOf(cell('seconds'), path, line),
    });
  });
  return annotations;
}

function secondsOf(text: string, file: string, line: number): number | null {
  if (text === '') return null;
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds;
  throw new DataError(`${file} line ${line}: seconds ${JSON.stringify(text)} is no number.`, {
    ...{ file, line, field: 'seconds' },
  });
}

/** The labels of each pair, open ones left out. */
export function labelsById(annotations: readonly Annotation[]): Map<string, Verdict[]> {
  const labels = new Map<string, Verdict[]>();
  for (const { id, label } of annotations) {
    if (label !== null) labels.set(id, [...(labels.get(id) ?? []), label]);
  }
  return labels;
}

/**
 * The samples with what annotators say as gold: the verdict of most of them, a tie where none has
 * most. Samples that nobody decided keep theirs.
 *
 * @throws {DataError} where no annotation is of a sample.
 */
export function withAnnotations(
  samples: readonly JudgedSample[],
  annotations: readonly Annotation[],
): JudgedSample[] {
  const labels = labelsById(annotations);
  if (!samples.some(({ id }) => labels.has(id))) {
    throw new DataError('widedeep-eval: no annotation is of a pair of this run.', {
      help: 'fill in the column "label" of the file that "widedeep-eval annotate" wrote.',
    });
  }
  return samples.map((sample) => {
    const own = labels.get(sample.id);
    return own === undefined ? sample : { ...sample, gold: mostFrequent(own) };
  });
}

/** The most frequent verdict, a tie where there are several. */
export function mostFrequent(labels: readonly Verdict[]): Verdict {
  const count = (verdict: Verdict) => labels.filter((label) => label === verdict).length;
  const [first, second, tie] = [count('1'), count('2'), count('tie')];
  if (first > second && first > tie) return '1';
  return second > first && second > tie ? '2' : 'tie';
}
