/**
 * The two scores in a judge's answer.
 *
 * An answer ends with a line for each assistant, e.g. `Score of Assistant 1: 8`. What stands
 * elsewhere is never taken for a score: a number counts only behind the label of an assistant that
 * begins its line, and only as a whole: 8, 8.5, 8/10, 8 out of 10. When in doubt an answer is
 * unparsed, and the judge is asked again.
 */
import { splitReasoning } from '@lab/llm';
import {
  cleanLine,
  type LabelledScore,
  labelledScores,
  pureScore,
  scorePair,
} from './score-lines.js';
import { isExampleHeading, isLastWord, isPartHeading, objectionTo } from './score-guards.js';
import type { ReasonPlace, ScorePair } from './score-guards.js';
import { scoresInSentence, scoresInTable } from './score-places.js';

/** Scores that were found, or why there are none. */
export type ParsedScores =
  | {
      readonly isParsed: true;
      /** Of the assistant that the judge saw first, 1..10. */
      readonly score1: number;
      readonly score2: number;
      /** The answer without the lines of its scores. */
      readonly evidence: string;
    }
  | { readonly isParsed: false; readonly problem: string };

/** A score and the lines that it stands on. */
interface Found extends LabelledScore {
  readonly line: number;
  readonly endLine: number;
}

/** Lines of scores are short; others are prose, however they begin. */
const maxLineLength = 240;
const mayHoldLabel = /[12１２١٢]|scor|rating|得分|评分|分数/iu;

/** What an answer was asked for, as far as it bears on where scores stand. */
export interface AnswerForm {
  /**
   * Whether reasons stand before the scores (default) or after them: behind scores, reasons may
   * speak of mistakes without taking the scores back.
   */
  readonly explanation?: ReasonPlace | undefined;
  /** The criterion that the judge was asked about; a heading that names another is of a part. */
  readonly angle?: string | undefined;
}

/**
 * The scores of a judge's answer.
 *
 * Where scores are given more than once and differ, the last pair counts if it ends the answer and
 * is said to be of all, or to correct what came before. Accepted around a label: markdown, quotes,
 * full-width characters, words such as "final score of", and labels in Chinese, Portuguese, Spanish
 * and Russian.
 *
 * Deviation: the released code takes any digits and dots behind its label, also outside 1 to 10,
 * and scores of 0 where it finds none.
 */
export function parseScores(answer: string, form: AnswerForm = {}): ParsedScores {
  const { text } = splitReasoning(answer);
  const lines = text.split(/\r\n|[\n\r\u2028\u2029]/);
  const found = findScores(lines);
  if (found.length === 0) return scoresElsewhere(lines, form);
  const [first = [], second = []] = [1, 2].map((label) =>
    found.filter((score) => score.label === label),
  );
  const [last1, last2] = [first.at(-1), second.at(-1)];
  if (last1 === undefined) return unparsed('no line with the score of Assistant 1');
  if (last2 === undefined) return unparsed('no line with the score of Assistant 2');
  if (last1.value === null) return unparsed('the score of Assistant 1 is no number from 1 to 10');
  if (last2.value === null) return unparsed('the score of Assistant 2 is no number from 1 to 10');
  const behind = lines.slice(Math.max(last1.endLine, last2.endLine) + 1).join('\n');
  if (areSeveral(first) || areSeveral(second)) {
    const isEnd = behind.replace(/[\s`]/g, '') === '';
    const isBlock = first.length === second.length && isBlankBetween(lines, last1, last2);
    if (!isEnd || !isBlock || !isSetApart(lines, first, second)) {
      return unparsed('scores that differ');
    }
  }
  const start = Math.min(last1.line, last2.line);
  const own = new Set(found.flatMap(({ line, endLine }) => [line, endLine]));
  return judged({ lines, start, behind, scores: [last1.value, last2.value], own }, form);
}

/** Scores in a table or in the last sentence, where no line is a score. */
function scoresElsewhere(lines: readonly string[], form: AnswerForm): ParsedScores {
  const place = scoresInTable(lines) ?? scoresInSentence(lines);
  if (place === null) return unparsed('no line with the score of Assistant 1');
  const { scores, line } = place;
  const behind = lines.slice(line + 1).join('\n');
  return judged({ lines, start: line, behind, scores, own: new Set() }, form);
}

interface Candidate {
  readonly lines: readonly string[];
  /** The first line of the scores. */
  readonly start: number;
  readonly behind: string;
  readonly scores: ScorePair;
  /** Lines that are scores and nothing else. */
  readonly own: ReadonlySet<number>;
}

/** The scores, unless what stands around them speaks against them. */
function judged(
  { lines, start, behind, scores, own }: Candidate,
  { explanation = 'before', angle }: AnswerForm,
): ParsedScores {
  const above = lines.slice(0, start).findLast((line) => line.replace(/[\s`]/g, '') !== '') ?? '';
  if (isPartHeading(above, angle)) return unparsed('scores of a part alone');
  if (isExampleHeading(above)) return unparsed('scores that are said to be none');
  const objection = objectionTo({ text: lines.join('\n'), behind, scores }, explanation);
  if (objection !== null) return unparsed(objection);
  const evidence = lines.filter((_, at) => !own.has(at)).join('\n');
  return { isParsed: true, score1: scores[0], score2: scores[1], evidence: evidence.trim() };
}

/** Whether the last scores are said to be of all, or to correct those before. */
function isSetApart(
  lines: readonly string[],
  first: readonly Found[],
  second: readonly Found[],
): boolean {
  const end = Math.max(first.at(-2)?.endLine ?? -1, second.at(-2)?.endLine ?? -1);
  const starts = [first.at(-1)?.line ?? 0, second.at(-1)?.line ?? 0];
  const between = lines.slice(end + 1, Math.min(...starts));
  return isLastWord(
    between,
    starts.map((line) => lines[line] ?? ''),
  );
}

const unparsed = (problem: string): ParsedScores => ({ isParsed: false, problem });

/** Whether an assistant got scores that differ. */
function areSeveral(scores: readonly Found[]): boolean {
  const values = scores.flatMap(({ value }) => (value === null ? [] : [value]));
  return values.some((value) => value !== values[0]);
}

function isBlankBetween(lines: readonly string[], one: Found, two: Found): boolean {
  const [start, end] = one.line < two.line ? [one.endLine, two.line] : [two.endLine, one.line];
  return lines.slice(start + 1, end).every((line) => line.trim() === '');
}

function findScores(lines: readonly string[]): Found[] {
  const found: Found[] = [];
  for (const [line, raw] of lines.entries()) {
    // Most lines are prose, of which their length or letters tell that no label begins them.
    const shown = raw.length > maxLineLength ? '' : raw.replace(/\p{Cf}/gu, '');
    if (!mayHoldLabel.test(shown)) continue;
    for (const score of lineScores(shown)) {
      const below = score.isHeading ? scoreBelow(lines, line) : null;
      if (below !== null) found.push({ ...score, ...below, line });
      else if (!score.isHeading || score.isScoreWord) found.push({ ...score, line, endLine: line });
    }
  }
  return found;
}

/** The scores of a line: behind labels, as a pair, or of an object within prose. */
function lineScores(raw: string): LabelledScore[] {
  const line = cleanLine(raw);
  const labelled = labelledScores(line);
  if (labelled.length > 0) return labelled;
  const pair = scorePair(line);
  if (pair !== null) return entriesOf(pair);
  const objects = [...raw.matchAll(/\{[^{}]*\}/g)].map(([text]) => labelledScores(cleanLine(text)));
  return objects.findLast((scores) => scores.length === 2) ?? [];
}

const entriesOf = (pair: readonly [number | null, number | null]): LabelledScore[] =>
  pair.map((value, at) => ({
    label: at === 0 ? 1 : 2,
    value,
    isHeading: false,
    isScoreWord: true,
  }));

/** The score on the next line that is not blank, for a label with nothing behind it. */
function scoreBelow(lines: readonly string[], line: number) {
  for (let next = line + 1; next < lines.length; next += 1) {
    const text = cleanLine(lines[next] ?? '');
    if (text === '') continue;
    const value = pureScore(text);
    return value === undefined ? null : { value, endLine: next };
  }
  return null;
}
