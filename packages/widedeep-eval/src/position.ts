/**
 * References to the two assistants inside texts, when the answers change places.
 */

const nouns =
  'assistant|response|answer|candidate|assistente|asistente|resposta|respuesta|' +
  'ассистент\\p{L}{0,2}|ответ\\p{L}{0,2}|助手|助理|回答|答案';
const numbers = '1|2|one|two';
const ordinals = 'first|second';

// A number that goes on ("Assistant 12", "answer 1.5") is another number.
const letter = '\\p{Script=Latin}\\p{Script=Cyrillic}\\d';

/** Groups by number: their names would be an object for each match. */
const labelPattern = new RegExp(
  `(?<![${letter}])((?:${nouns})\\s*(?:#|no\\.|number)?\\s*)` +
    `(${numbers})(?![${letter}]|[.,]\\d)|` +
    `(?<![${letter}])(${ordinals})(\\s+(?:${nouns}|one)(?![${letter}]))|` +
    `第([一二])((?:个|位)(?:助手|助理|回答|答案))`,
  'giu',
);

const others: Readonly<Record<string, string>> = {
  ...{ '1': '2', '2': '1', one: 'two', two: 'one', first: 'second', second: 'first' },
  ...{ 一: '二', 二: '一' },
};

/**
 * The text with every reference to one assistant turned into the other: "Assistant 1", "assistant
 * two", "Response #2", "the first answer", 助手1 and the like, upper and lower case.
 *
 * Applied twice it gives back the text.
 *
 * Deviation: the released code replaces the exact texts "Assistant 1" and "Assistant 2" only, and
 * leaves all other references wrong.
 */
export function swapLabels(text: string): string {
  return text.replace(labelPattern, swapped);
}

/** A match with its number or ordinal exchanged; the arguments are the groups of the pattern. */
function swapped(_: string, ...groups: (string | undefined)[]): string {
  const [noun, number, ordinal, rest, chinese, behind] = groups;
  if (number !== undefined) return `${noun}${other(number)}`;
  if (ordinal !== undefined) return `${other(ordinal)}${rest}`;
  return `第${other(chinese ?? '')}${behind}`;
}

/** The other number or ordinal, in the same case. */
function other(word: string): string {
  const lower = word.toLowerCase();
  const changed = others[lower] ?? word;
  if (word === lower) return changed;
  if (word === word.toUpperCase()) return changed.toUpperCase();
  return `${changed[0]?.toUpperCase()}${changed.slice(1)}`;
}
