/**
 * Texts on their way to tokens that know where in the first text each of their letters stood.
 */

/** A text and where each of its UTF-16 units comes from. */
export interface AlignedText {
  readonly text: string;
  /** First unit, in the first text, of the character that a unit comes from. */
  readonly begins: readonly number[];
  /** Unit behind that character. */
  readonly ends: readonly number[];
}

/** A part of a text, and what became of it. */
export interface ChangedPart {
  readonly from: string;
  readonly to: string;
  /** Whether all that became of it comes from its last character, as of a pattern replaced. */
  readonly isWhole?: boolean | undefined;
}

/** A text before any change; `at` is where it stands in the first one. */
export function alignedText(text: string, at = 0): AlignedText {
  const [begins, ends]: [number[], number[]] = [[], []];
  let begin = at;
  for (const character of text) {
    const end = begin + character.length;
    for (let unit = begin; unit < end; unit += 1) {
      begins.push(begin);
      ends.push(end);
    }
    begin = end;
  }
  return { text, begins, ends };
}

/** From one unit to before another. */
export const slicedText = (
  { text, begins, ends }: AlignedText,
  begin: number,
  end: number,
): AlignedText => ({
  text: text.slice(begin, end),
  begins: begins.slice(begin, end),
  ends: ends.slice(begin, end),
});

/** Texts one behind the other. */
export const joinedText = (parts: readonly AlignedText[]): AlignedText => ({
  text: parts.map(({ text }) => text).join(''),
  begins: parts.flatMap(({ begins }) => begins),
  ends: parts.flatMap(({ ends }) => ends),
});

/**
 * A text whose parts became others: character for character, what is more belongs to the last one;
 * what stands where nothing was belongs to the character behind it.
 *
 * Source: huggingface/tokenizers, normalizer.rs, `transform_range`, and precompiled.rs, `replace`.
 *
 * @param parts - all of the text, in its order.
 */
export function changedText(given: AlignedText, parts: readonly ChangedPart[]): AlignedText {
  const [begins, ends]: [number[], number[]] = [[], []];
  let at = 0;
  for (const { from, to, isWhole = false } of parts) {
    const sources = characterStarts(from);
    const last = Math.max(sources.length - 1, 0);
    let count = 0;
    for (const character of to) {
      const unit = at + (sources[isWhole ? last : Math.min(count, last)] ?? 0);
      const [begin, end] = rangeAt(given, unit);
      for (let own = 0; own < character.length; own += 1) {
        begins.push(begin);
        ends.push(end);
      }
      count += 1;
    }
    at += from.length;
  }
  return { text: parts.map(({ to }) => to).join(''), begins, ends };
}

/** Where a unit comes from; behind the end nothing. */
function rangeAt({ begins, ends }: AlignedText, unit: number): readonly [number, number] {
  const end = ends.at(-1) ?? 0;
  return [begins[unit] ?? end, ends[unit] ?? end];
}

function characterStarts(text: string): number[] {
  const starts: number[] = [];
  let at = 0;
  for (const character of text) {
    starts.push(at);
    at += character.length;
  }
  return starts;
}
