/** A label in an answer, and where it begins. */
export interface FoundLabel {
  readonly label: string;
  readonly index: number;
}

/**
 * The last label that stands in an answer as a word of its own, whatever its case, or null.
 *
 * The last one, as answers repeat the labels of the question before they decide; a digit of a
 * larger number or of a decimal is no label.
 *
 * @param after - text behind which the label stands, such as `Verdict:`; its last occurrence
 *   counts, and where it is missing there is no label.
 */
export function findLabel(
  answer: string,
  labels: readonly string[],
  after?: string,
): FoundLabel | null {
  const start = after === undefined ? 0 : answer.lastIndexOf(after) + after.length;
  if (after !== undefined && start < after.length) return null;
  const last = [...answer.slice(start).matchAll(labelPattern(labels))].at(-1);
  if (!last) return null;
  const folded = foldLabel(last[0]);
  const label = labels.find((item) => foldLabel(item) === folded);
  return label === undefined ? null : { label, index: start + last.index };
}

/** A label without case and blanks around it. */
export function foldLabel(label: string): string {
  return label.trim().toLowerCase();
}

function labelPattern(labels: readonly string[]): RegExp {
  // Longer ones first: "very good" is not "good".
  const sorted = [...labels].map((label) => label.trim()).sort((a, b) => b.length - a.length);
  return new RegExp(sorted.map(asWord).join('|'), 'giu');
}

/** Scripts without blanks between words: there a label may stand within a run of letters. */
const unspaced = String.raw`\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}`;
const startsUnspaced = new RegExp(`^[${unspaced}]`, 'u');
const endsUnspaced = new RegExp(`[${unspaced}]$`, 'u');
const before = String.raw`(?<![\p{L}\p{N}]|\p{N}[.,])`;
const behind = String.raw`(?![\p{L}\p{N}]|[.,]\p{N})`;

function asWord(label: string): string {
  const escaped = label.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
  const left = startsUnspaced.test(label) ? '' : before;
  const right = endsUnspaced.test(label) ? '' : behind;
  return `${left}${escaped}${right}`;
}
