/**
 * Five tasks of zero-shot accuracy: their files and how a question is put.
 */
import { ConfigError, DataError, eachLine, nearest } from '@lab/core';

/** A question with its options. */
export interface TaskItem {
  readonly id: string;
  /** What stands before the option; one for all, or one for each. */
  readonly contexts: readonly string[];
  /** Text of each option as it is scored, with the space before it. */
  readonly continuations: readonly string[];
  /** Bytes of each option in UTF-8, without the space: scores are divided by them. */
  readonly bytes: readonly number[];
  /** Place of the right option. */
  readonly answer: number;
}

/** Names of the tasks. */
export const taskNames = ['boolq', 'rte', 'winogrande', 'arc-challenge', 'openbookqa'] as const;

/** Name of a task. */
export type TaskName = (typeof taskNames)[number];

type Fields = Readonly<Record<string, unknown>>;
type Reader = (fields: Fields) => Omit<TaskItem, 'id'>;

const text = (fields: Fields, ...names: string[]): string => {
  const value = names.map((name) => fields[name]).find((one) => typeof one === 'string');
  if (typeof value === 'string') return value;
  throw new Error(`has no text ${names.join(' or ')}`);
};

function options(
  contexts: readonly string[],
  choices: readonly string[],
  answer: number,
): Omit<TaskItem, 'id'> {
  if (!(Number.isInteger(answer) && answer >= 0 && answer < choices.length)) {
    throw new Error('has no right answer among its options');
  }
  return {
    contexts,
    continuations: choices.map((choice) => ` ${choice}`),
    bytes: choices.map((choice) => Buffer.byteLength(choice)),
    answer,
  };
}

/** 0 or 1 under `label`, or a truth value under `answer`. */
function binary(fields: Fields): number {
  const { label, answer } = fields;
  if (label === 0 || label === 1) return label;
  if (typeof answer === 'boolean') return answer ? 1 : 0;
  throw new Error('has neither a label 0 or 1 nor an answer true or false');
}

function multipleChoice(context: (fields: Fields) => string): Reader {
  return (fields) => {
    const choices = (fields['choices'] ?? {}) as { text?: unknown; label?: unknown };
    const [texts, labels] = [choices.text, choices.label];
    const isTexts = (value: unknown): value is string[] =>
      Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');
    if (!isTexts(texts) || !isTexts(labels)) throw new Error('has no choices with text and label');
    return options([context(fields)], texts, labels.indexOf(text(fields, 'answerKey')));
  };
}

const readers: Readonly<Record<TaskName, Reader>> = {
  boolq: (fields) => {
    const question = text(fields, 'question');
    const context = `${text(fields, 'passage')}\nQuestion: ${question}?\nAnswer:`;
    return options([context], ['no', 'yes'], binary(fields));
  },
  rte: (fields) => {
    const [first, second] = [
      text(fields, 'sentence1', 'premise'),
      text(fields, 'sentence2', 'hypothesis'),
    ];
    const context = `${first}\nQuestion: ${second} True or False?\nAnswer:`;
    return options([context], ['True', 'False'], binary(fields));
  },
  winogrande: (fields) => {
    const sentence = text(fields, 'sentence');
    const gap = sentence.indexOf('_');
    if (gap < 0) throw new Error('has no _ in its sentence');
    const fillings = [text(fields, 'option1'), text(fields, 'option2')];
    const rest = sentence.slice(gap + 1).trim();
    const contexts = fillings.map((filling) => `${sentence.slice(0, gap)}${filling}`);
    return options(contexts, [rest, rest], Number(text(fields, 'answer')) - 1);
  },
  'arc-challenge': multipleChoice((fields) => `Question: ${text(fields, 'question')}\nAnswer:`),
  openbookqa: multipleChoice((fields) => text(fields, 'question_stem')),
};

/**
 * Reads the questions of a task from JSON lines with the fields that they have on the Hugging Face
 * hub.
 *
 * Shapes of the prompts are those of lm-evaluation-harness 0.4: BoolQ `passage\nQuestion:
 * question?\nAnswer:` with no and yes; RTE with True and False; ARC `Question: ...\nAnswer:`;
 * OpenBookQA the bare stem; WinoGrande scores what follows the gap under either filling.
 *
 * @param limit - the first so many; default all.
 * @throws {ConfigError} for another task; {@link DataError} for a line that is no question of it.
 */
export async function readTask(name: string, path: string, limit = Infinity): Promise<TaskItem[]> {
  if (!(taskNames as readonly string[]).includes(name)) {
    const like = nearest(name, taskNames);
    throw new ConfigError(
      `sahara/utility: there is no task "${name}"${like === undefined ? '' : `; near: ${like}`}.`,
      { help: `There are ${taskNames.join(', ')}.` },
    );
  }
  const read = readers[name as TaskName];
  const items: TaskItem[] = [];
  await eachLine(path, (line, number) => {
    if (line.trim() === '' || items.length >= limit) return;
    try {
      const fields = JSON.parse(line) as Fields;
      const id = fields['id'] ?? fields['idx'] ?? number;
      items.push({ id: String(id as number | string), ...read(fields) });
    } catch (cause) {
      throw new DataError(`${path} line ${number}: ${(cause as Error).message}.`, {
        ...{ file: path, line: number, cause },
        help: `Give the validation or test set of ${name} as JSON lines, with its own fields.`,
      });
    }
  });
  if (items.length > 0) return items;
  throw new DataError(`${path}: has no questions.`, { file: path, help: 'Give a file with some.' });
}
