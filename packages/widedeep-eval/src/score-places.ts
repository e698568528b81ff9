/**
 * Scores that stand in a table, in the last sentence, or in a list of two.
 */
import { cleanLine, labelledScores, pureScore } from './score-lines.js';

type Pair = readonly [number, number];

const overallRow = /^(?:the\s+)?(?:overall|total|final|score|rating|sum|mean|average)s?\b/iu;

/**
 * The scores in the last row of a table whose columns are the assistants; null where the last row
 * is not the overall one.
 */
export function scoresInTable(lines: readonly string[]): Pair | null {
  const rows = lines.filter((line) => /^\s*\|.*\|\s*$/.test(line)).map(cellsOf);
  const header = rows.findLastIndex((cells) => columnOf(cells, 1) >= 0 && columnOf(cells, 2) >= 0);
  const last = rows.at(-1);
  if (header < 0 || last === undefined || header === rows.length - 1) return null;
  if (!overallRow.test(last[0] ?? '')) return null;
  const [first, second] = [1, 2].map((label) =>
    pureScore(last[columnOf(rows[header]!, label)] ?? ''),
  );
  return first === undefined || second === undefined ? null : [first, second];
}

const cellsOf = (row: string): string[] => row.trim().slice(1, -1).split('|').map(cleanLine);

const columnOf = (cells: readonly string[], label: number): number =>
  cells.findIndex((cell) => new RegExp(`^assistant\\s*${label}$`, 'i').test(cell));

const verb = '(?:gets|deserves|earns|receives|scores|is worth)\\s+(?:an?\\s+)?';
const score = '(10|[1-9](?:\\.\\d+)?)(?:\\s*/\\s*10|\\s+out of 10)?';
const lastSentence = new RegExp(
  `(?:^|[.!?]\\s+|\\n)[^.!?\\d\\n]*assistant 1 ${verb}${score},?\\s*` +
    `(?:and|while|whereas|but|;)?\\s*assistant 2 ${verb}${score}\\s*\\.?\\s*$`,
  'iu',
);

/**
 * The scores of a last sentence that gives both ("Assistant 1 deserves a 9, while Assistant 2
 * deserves a 2"), or of an answer that is a list of two numbers and nothing else.
 */
export function scoresInSentence(lines: readonly string[]): Pair | null {
  const filled = lines.filter((line) => line.trim() !== '');
  const list = filled.map((line) => /^\s*([12])[.)]\s+(.*)$/.exec(line));
  if (filled.length === 2 && list[0]?.[1] === '1' && list[1]?.[1] === '2') {
    const [first, second] = list.map((found) => pureScore(cleanLine(found?.[2] ?? '')));
    return first === undefined || second === undefined ? null : [first, second];
  }
  const end = filled.at(-1) ?? '';
  // A label that begins the line was looked at already, and is none.
  if (labelledScores(cleanLine(end)).length > 0) return null;
  const found = lastSentence.exec(end.slice(-maxSentence));
  return found === null ? null : [Number(found[1]), Number(found[2])];
}

const maxSentence = 400;
