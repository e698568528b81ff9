/**
 * Steps of a tokenizer, applied so that what comes out knows where in the text it stood.
 */
import {
  type AlignedText,
  changedText,
  type ChangedPart,
  joinedText,
  slicedText,
} from './aligned-text.js';
import { groupsOf } from './character-map.js';

/** A step as tokenizer.json has it. */
export type StepFields = Readonly<Record<string, unknown>>;

/** A normalizer of the library. */
export interface Normalizer {
  readonly normalizers?: readonly Normalizer[];
  readonly pattern?: RegExp | string | null;
  normalize(text: string): string;
}

/** A pre-tokenizer of the library. */
export interface PreTokenizer {
  readonly tokenizers?: readonly PreTokenizer[];
  readonly pattern?: RegExp | string | null;
  pre_tokenize_text(text: string, place: { readonly section_index: number }): readonly string[];
}

const partsOf = (fields: StepFields, list: string) => (fields[list] ?? []) as readonly StepFields[];

/** What a normalizer makes of a text. */
export function normalisedText(
  step: Normalizer,
  fields: StepFields,
  given: AlignedText,
): AlignedText {
  if (fields['type'] === 'Sequence') {
    const own = partsOf(fields, 'normalizers');
    return (step.normalizers ?? []).reduce(
      (text, one, at) => normalisedText(one, own[at]!, text),
      given,
    );
  }
  const after = step.normalize(given.text);
  const found = fields['type'] === 'Replace' ? replacedText(step, fields, given) : given;
  return found.text === after ? found : changedAs(given, after, (text) => step.normalize(text));
}

/** A text in which a pattern was replaced. */
function replacedText(
  { pattern }: { readonly pattern?: RegExp | string | null },
  { content }: StepFields,
  given: AlignedText,
): AlignedText {
  const { text } = given;
  const to = typeof content === 'string' ? content : '';
  const parts: ChangedPart[] = [];
  let done = 0;
  const between = (end: number) => {
    const own = text.slice(done, end);
    if (own !== '') parts.push({ from: own, to: own });
    done = end;
  };
  const { RegExp: Pattern } = globalThis;
  const every = pattern instanceof Pattern ? new Pattern(pattern, flagsOf(pattern)) : pattern;
  if (every === null || every === undefined) return given;
  text.replaceAll(every, (from: string, ...more: unknown[]) => {
    between(more.find((one) => typeof one === 'number')!);
    parts.push({ from, to, isWhole: true });
    done += from.length;
    return to;
  });
  between(text.length);
  return changedText(given, parts);
}

const flagsOf = ({ flags }: RegExp) => (flags.includes('g') ? flags : `${flags}g`);

/**
 * A text that became another: cut off at its ends, begun with something new, or changed group by
 * group of what one sees as one character; else what is alike at both ends stays and the middle is
 * taken for one.
 */
function changedAs(
  given: AlignedText,
  after: string,
  change: (text: string) => string,
): AlignedText {
  const { text } = given;
  if (text.includes(after)) {
    const begin = text.indexOf(after);
    return slicedText(given, begin, begin + after.length);
  }
  if (after.endsWith(text)) {
    const begun = { from: '', to: after.slice(0, after.length - text.length) };
    return changedText(given, [begun, { from: text, to: text }]);
  }
  const parts = Array.from(groupsOf(text), (from) => ({ from, to: change(from) }));
  const whole = changedText(given, parts);
  if (whole.text === after) return whole;
  const most = Math.min(text.length, after.length);
  let [begin, end] = [0, 0];
  while (begin < most && text[begin] === after[begin]) begin += 1;
  while (end < most - begin && text.at(-1 - end) === after.at(-1 - end)) end += 1;
  const cut = (all: string) => [all.slice(0, begin), all.slice(begin, all.length - end)] as const;
  const [[head, from], [, to]] = [cut(text), cut(after)];
  const tail = text.slice(text.length - end);
  return changedText(given, [
    { from: head, to: head },
    { from, to },
    { from: tail, to: tail },
  ]);
}

/** The words that a pre-tokenizer cuts a text into. */
export function cutText(
  step: PreTokenizer,
  fields: StepFields,
  given: AlignedText,
  isAtStart: boolean,
): AlignedText[] {
  if (fields['type'] === 'Sequence') {
    const own = partsOf(fields, 'pretokenizers');
    return (step.tokenizers ?? []).reduce<AlignedText[]>(
      (words, one, at) => words.flatMap((word) => cutText(one, own[at]!, word, isAtStart)),
      [given],
    );
  }
  const found = step.pre_tokenize_text(given.text, { section_index: isAtStart ? 0 : 1 });
  if (fields['type'] === 'ByteLevel') return cutBytes(given, found);
  if (fields['type'] === 'Replace') return [replacedText(step, fields, given)];
  if (fields['type'] === 'Metaspace') return [spacedText(given, found.join(''))];
  return cutWords(given, found);
}

/** The bytes of a text, each a character, cut into words. */
function cutBytes(given: AlignedText, words: readonly string[]): AlignedText[] {
  const all = words.join('');
  const prefix = all.length - Buffer.byteLength(given.text);
  const parts: ChangedPart[] = [{ from: '', to: all.slice(0, prefix) }];
  let at = prefix;
  const bytes = [changedText(given, parts)];
  let unit = 0;
  for (const character of given.text) {
    const end = at + Buffer.byteLength(character);
    // Every byte is one of the whole character.
    const own = slicedText(given, unit, unit + 1);
    for (const byte of all.slice(at, end)) bytes.push({ ...own, text: byte });
    [at, unit] = [end, unit + character.length];
  }
  return cutWords(joinedText(bytes), words);
}

/** A text with marks for its spaces, and maybe one before it. */
function spacedText(given: AlignedText, marked: string): AlignedText {
  const prefix = Math.max(marked.length - given.text.length, 0);
  return changedText(given, [
    { from: '', to: marked.slice(0, prefix) },
    { from: given.text, to: marked.slice(prefix) },
  ]);
}

/** Words that stand in a text in their order; what is between them is left out. */
function cutWords(given: AlignedText, words: readonly string[]): AlignedText[] {
  let at = 0;
  return words.map((word) => {
    const begin = Math.max(given.text.indexOf(word, at), at);
    at = begin + word.length;
    return slicedText(given, begin, at);
  });
}
