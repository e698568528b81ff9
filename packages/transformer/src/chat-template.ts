/**
 * Conversations to the text that a model was trained on.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Environment, Interpreter } from '@huggingface/jinja';
import { ConfigError, DataError, ModelError } from '@lab/core';
import { chatProgram, programFunctions } from './chat-program.js';

/** One message of a conversation. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/** How a conversation is written out. */
export interface ChatOptions {
  /** Whether the header of the answer is added; default true. */
  readonly addGenerationPrompt?: boolean | undefined;
  /** Name of the template, where there are several; default `default`. */
  readonly template?: string | undefined;
  /** Further variables of the template. */
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  /** What templates take for today; default now. */
  readonly now?: Date | undefined;
}

/** Chat templates of a checkpoint. */
export interface ChatTemplates {
  /** Their names; one alone is called `default`. */
  readonly names: readonly string[];
  /**
   * The text of a conversation, special tokens written out: encode it without adding any.
   *
   * @throws {ConfigError} where there is no such template.
   * @throws {DataError} where the template refuses the conversation.
   */
  render(messages: readonly ChatMessage[], options?: ChatOptions): string;
}

/** Where templates are looked for. */
interface TemplateSource {
  readonly folder: string;
  /** Content of tokenizer_config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Special tokens by their names, such as `bos_token`. */
  readonly special: Readonly<Record<string, string>>;
}

/** Templates by name, from tokenizer_config.json or chat_template.jinja. */
export function templateTexts({
  folder,
  config,
}: Omit<TemplateSource, 'special'>): Map<string, string> {
  const file = join(folder, 'chat_template.jinja');
  if (existsSync(file)) return new Map([['default', readFileSync(file, 'utf8')]]);
  const given = config['chat_template'];
  if (typeof given === 'string') return new Map([['default', given]]);
  if (!Array.isArray(given)) return new Map();
  return new Map(
    given.map((one: unknown) => {
      const { name, template } = (one ?? {}) as { name?: unknown; template?: unknown };
      if (typeof name === 'string' && typeof template === 'string') return [name, template];
      throw new ModelError(`${folder}: chat_template lists something else than names and texts.`, {
        help: 'Copy tokenizer_config.json again.',
      });
    }),
  );
}

/** The templates of a checkpoint. */
export function readChatTemplates(source: TemplateSource): ChatTemplates {
  const texts = templateTexts(source);
  const names = [...texts.keys()];
  return {
    names,
    render: (messages, { template = 'default', ...options } = {}) => {
      const text = texts.get(template);
      if (text === undefined) {
        const what = names.length === 0 ? '' : ` ${template}; it has ${names.join(', ')}`;
        throw new ConfigError(`${source.folder}: has no chat template${what}.`, {
          help:
            names.length === 0
              ? 'Write the text of the conversation yourself, or take a model made for chats.'
              : 'Take another template, or write the text of the conversation yourself.',
        });
      }
      return rendered(text, messages, { ...options, ...source });
    },
  };
}

function rendered(
  template: string,
  messages: readonly ChatMessage[],
  {
    folder,
    special,
    addGenerationPrompt = true,
    variables = {},
    now = new Date(),
  }: Omit<ChatOptions, 'template'> & Pick<TemplateSource, 'folder' | 'special'>,
): string {
  try {
    const environment = new Environment();
    const values: Readonly<Record<string, unknown>> = {
      ...{ true: true, false: false, none: null, True: true, False: false, None: null },
      range,
      raise_exception: (message: string) => {
        throw new Error(message);
      },
      // The library's own takes the present time, and names of months in the machine's language.
      strftime_now: (format: string) => formatted(now, format),
      ...special,
      // Undefined is an error in templates that ask whether there are any.
      ...{ tools: null, documents: null },
      ...variables,
      ...programFunctions,
      messages,
      add_generation_prompt: addGenerationPrompt,
    };
    for (const [name, value] of Object.entries(values)) environment.set(name, value);
    return String(new Interpreter(environment).run(chatProgram(template)).value);
  } catch (cause) {
    throw new DataError(
      `${folder}: its chat template refuses the conversation: ${(cause as Error).message}`,
      { cause, help: 'Change the roles or their order, or take another template.' },
    );
  }
}

/** Numbers of a range, at most: templates count messages. */
const MOST_RANGE = 100_000;

/** Whole numbers as `range` of Python gives them. */
function range(first: number, end?: number, step = 1): number[] {
  const [from, to] = end === undefined ? [0, first] : [first, end];
  const length = Math.max(Math.ceil((to - from) / step), 0);
  if (!(length <= MOST_RANGE)) {
    throw new Error(`range(${from}, ${to}, ${step}) is longer than ${MOST_RANGE}`);
  }
  return Array.from({ length }, (_, at) => from + at * step);
}

const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August'],
  ...['September', 'October', 'November', 'December'],
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** 1 for the first of January. */
function dayOfYear(date: Date): number {
  const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()];
  return (Date.UTC(year, month, day) - Date.UTC(year, 0, 0)) / 86_400_000;
}

/** A date as `strftime` of C writes it in English; `%-d` leaves out what fills up a number. */
function formatted(date: Date, format: string): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const [month, day] = [MONTHS[date.getMonth()]!, DAYS[date.getDay()]!];
  const parts: Readonly<Record<string, string>> = {
    Y: String(date.getFullYear()),
    y: two(date.getFullYear() % 100),
    m: two(date.getMonth() + 1),
    B: month,
    b: month.slice(0, 3),
    d: two(date.getDate()),
    e: String(date.getDate()).padStart(2),
    A: day,
    a: day.slice(0, 3),
    H: two(date.getHours()),
    I: two(date.getHours() % 12 || 12),
    M: two(date.getMinutes()),
    S: two(date.getSeconds()),
    j: String(dayOfYear(date)).padStart(3, '0'),
    p: date.getHours() < 12 ? 'AM' : 'PM',
    '%': '%',
  };
  return format.replace(/%(-?)(.)/g, (whole, bare: string, letter: string) => {
    const part = parts[letter];
    return part === undefined ? whole : bare === '' ? part : part.replace(/^[0 ]+(?=.)/, '');
  });
}
