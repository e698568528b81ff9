/**
 * Scores that stand in a table, in the last sentence, or in a list of two.
 */
import type { ScorePair } from './score-guards.js';
import { cleanLine, labelledScores, pureScore } from './score-lines.js';

/** Scores and the last line that they stand on. */
interface Place {
  readonly scores: ScorePair;
  readonly line: number;
}

const overallRow = /^(?:the\s+)?(?:overall|total|final|score|rating|sum|mean|average)s?\b/iu;

/**
 * The scores in the last row of a table whose columns are the assistants; null where the last row
 * is not the overall one.
 */
export function scoresInTable(lines: readonly string[]): Place | null {
  const isRow = (line: string): boolean => /^\s*\|.*\|\s*$/.test(line);
  const rows = lines.filter(isRow).map(cellsOf);
  const header = rows.findLastIndex((cells) => columnOf(cells, 1) >= 0 && columnOf(cells, 2) >= 0);
  const last = rows.at(-1);
  if (header < 0 || last === undefined || header === rows.length - 1) return null;
  if (!overallRow.test(last[0] ?? '')) return null;
  const [first, second] = [1, 2].map((label) =>
    pureScore(last[columnOf(rows[header]!, label)] ?? ''),
  );
  if (first === undefined || second === undefined) return null;
  return { scores: [first, second], line: lines.findLastIndex(isRow) };
}

const cellsOf = (row: string): string[] => row.trim().slice(1, -1).split('|').map(cleanLine);

const columnOf = (cells: readonly string[], label: number): number =>
  cells.findIndex((cell) => new RegExp(`^assistant\\s*${label}$`, 'i').test(cell));

const verb = '(?:gets|deserves|earns|receives|scores|is worth)\\s+(?:an?\\s+)?';
const score = '(10|[1-9](?:\\.\\d+)?)(?:\\s*/\\s*10|\\s+out of 10)?';
/** What may stand before such a sentence: nothing that denies it or takes a part alone. */
const opening =
  '(?:(?:and so|so|overall|thus|therefore|hence|consequently|accordingly|finally|in total|' +
  'in all|all in all|in the end|in sum|in short|in summary|in conclusion|to sum up|to conclude|' +
  'on balance|on the whole|taken together|taking everything together|all things considered|' +
  'for these reasons|as a result|on (?:this|that|the) scale|in my (?:view|opinion|judge?ment)|' +
  'I (?:think|believe|find|conclude|would say)(?: that)?)[,:]?\\s+)*';
const lastSentence = new RegExp(
  `(?:^|(?<!\\b(?:e\\.g|i\\.e|vs|cf|etc))[.!?]\\s+)${opening}assistant 1 ${verb}${score},?\\s*` +
    `(?:and|while|whereas|but|;)?\\s*assistant 2 ${verb}${score}\\s*\\.?\\s*$`,
  'iu',
);

/**
 * The scores of a last sentence that gives both ("Assistant 1 deserves a 9, while Assistant 2
 * deserves a 2"), or of an answer that is a list of two numbers and nothing else.
 */
export function scoresInSentence(lines: readonly string[]): Place | null {
  const filled = lines.filter((text) => text.trim() !== '');
  const line = lines.findLastIndex((text) => text.trim() !== '');
  const list = filled.map((text) => /^\s*([12])[.)]\s+(.*)$/.exec(text));
  if (filled.length === 2 && list[0]?.[1] === '1' && list[1]?.[1] === '2') {
    const [first, second] = list.map((found) => pureScore(cleanLine(found?.[2] ?? '')));
    return first === undefined || second === undefined ? null : { scores: [first, second], line };
  }
  const end = filled.at(-1) ?? '';
  // A label that begins the line was looked at already, and is none.
  if (labelledScores(cleanLine(end)).length > 0) return null;
  const shown = cleanLine(end);
  // A line that is cut does not begin with what is left of it.
  const found = lastSentence.exec(
    shown.length > maxSentence ? `…${shown.slice(-maxSentence)}` : shown,
  );
  return found === null ? null : { scores: [Number(found[1]), Number(found[2])], line };
}

const maxSentence = 400;
