/**
 * Prompts of several classes from files, made ready for a model.
 */
import { existsSync } from 'node:fs';
import { ConfigError, DataError, type FileRecord, sha256 } from '@lab/core';
import {
  keptPrompts,
  type PromptRecord,
  promptSpans,
  readPromptData,
  type Tokenizer,
} from '@lab/transformer';
import type { Config } from './config.js';
import type { EncodedPrompt } from './hidden-states.js';

/** A file of one class, or a file whose column `label` names the classes. */
export interface PromptSource {
  /** Class of all its prompts; default what the file says of each. */
  readonly label?: string | undefined;
  readonly path: string;
}

/** A prompt of a class. */
export interface LabelledPrompt {
  /** Class and id in its file, so that it is one of its kind in the set. */
  readonly id: string;
  readonly label: string;
  readonly prompt: string;
}

/** What became of the prompts of a class. */
export interface ClassCounts {
  readonly label: string;
  readonly read: number;
  /** The same words as an earlier one of their class, left out or not. */
  readonly duplicates: number;
  readonly kept: number;
}

/** Prompts by class; see {@link readPromptSet}. */
export interface PromptSet {
  /** Classes in the order of the sources, or of first mention in a labelled file. */
  readonly classes: readonly string[];
  /** Class by class. */
  readonly prompts: readonly LabelledPrompt[];
  readonly counts: readonly ClassCounts[];
  /** Prompts that stand in several classes. */
  readonly conflicts: readonly string[];
  readonly files: readonly FileRecord[];
}

/** How prompts are read. */
export interface PromptSetOptions extends Pick<Config['data'], 'deduplicate' | 'limit'> {
  /** Column of the prompt, where it has a name of its own. */
  readonly column?: string | undefined;
  /** Classes that are kept, in this order; default all. */
  readonly classes?: readonly string[] | undefined;
}

/**
 * Prompts of classes, class by class as split and probes want them.
 *
 * @throws {DataError} for files that cannot be read, and prompts without class.
 * @throws {ConfigError} for fewer than two classes, and a class without prompts.
 */
export async function readPromptSet(
  sources: readonly PromptSource[],
  options: PromptSetOptions,
): Promise<PromptSet> {
  const byClass = new Map<string, PromptRecord[]>();
  const files: FileRecord[] = [];
  for (const { path, label } of sources) {
    if (!existsSync(path)) throw withoutFile(path);
    const { records, file } = await readPromptData(path, { column: options.column });
    files.push(file);
    for (const record of records) {
      const name = label ?? record.label;
      if (name === undefined) throw withoutLabel(path);
      byClass.set(name, [...(byClass.get(name) ?? []), record]);
    }
  }
  const classes = chosenClasses([...byClass.keys()], options.classes);
  const kept = classes.map((label) => ({ label, ...keptOf(byClass.get(label)!, options) }));
  const prompts = kept.flatMap(({ label, records }) =>
    records.map(({ id, prompt }) => ({ id: `${label}/${id}`, label, prompt })),
  );
  return {
    ...{ classes, prompts, files },
    counts: kept.map(({ label, records, duplicates }) => ({
      ...{ label, duplicates, kept: records.length },
      read: byClass.get(label)!.length,
    })),
    conflicts: conflictsOf(prompts),
  };
}

const withoutFile = (path: string) =>
  new DataError(`${path}: there is no such file.`, {
    file: path,
    help: 'Check the path; no prompts of others are shipped.',
  });

const withoutLabel = (path: string) =>
  new DataError(`${path}: its prompts have no class.`, {
    file: path,
    help: 'Name it: --class NAME=FILE, or add a column label.',
  });

function chosenClasses(there: readonly string[], wanted?: readonly string[]): readonly string[] {
  const classes = wanted ?? there;
  const missing = classes.filter((name) => !there.includes(name));
  if (missing.length > 0) {
    throw new ConfigError(`weak-probe/prompts: there is no class ${missing.join(', ')}.`, {
      help: `There are ${there.join(', ')}.`,
    });
  }
  if (new Set(classes).size === classes.length && classes.length > 1) return classes;
  throw new ConfigError(
    `weak-probe/prompts: ${classes.length} classes (${classes.join(', ')}), two are needed.`,
    { help: 'Give --class NAME=FILE for each class, each with a name of its own.' },
  );
}

function keptOf(records: readonly PromptRecord[], { deduplicate, limit }: PromptSetOptions) {
  const distinct = keptPrompts(records, false);
  const wanted = deduplicate ? distinct : records;
  return {
    records: limit === 0 ? wanted : wanted.slice(0, limit),
    duplicates: records.length - distinct.length,
  };
}

function conflictsOf(prompts: readonly LabelledPrompt[]): string[] {
  const labels = new Map<string, string>();
  const conflicts = prompts.filter(({ prompt, label }) => {
    const other = labels.get(prompt);
    labels.set(prompt, other ?? label);
    return other !== undefined && other !== label;
  });
  return conflicts.map(({ id }) => id);
}

/**
 * A prompt with a full stop behind it, unless it ends in one or in a question mark: else the last
 * token alone tells much of the class.
 *
 * Source: LLM-IHS-Explanation, load_datasets.
 */
export const withPeriod = (prompt: string): string =>
  /[.?]$/.test(prompt) ? prompt : `${prompt}.`;

/** A prompt as a model reads it. */
export interface FormattedPrompt extends LabelledPrompt, EncodedPrompt {
  /** The whole text, format in it. */
  readonly text: string;
  /** SHA-256 of the text. */
  readonly textSha256: string;
}

/** How prompts are written out. */
export interface FormatOptions
  extends Pick<Config['data'], 'format' | 'longPrompts' | 'normalisation' | 'system'> {
  /** Tokens of a text at most; null for no end. */
  readonly contextTokens: number | null;
}

/** Prompts ready for a model, and those left out. */
export interface FormattedPrompts {
  readonly prompts: readonly FormattedPrompt[];
  /** Ids of prompts longer than the context. */
  readonly skipped: readonly string[];
}

/**
 * Prompts in their format, as token ids.
 *
 * @throws {DataError} for a prompt longer than the context, unless they are left out.
 * @throws {ConfigError} for a format that is not known.
 */
export function formatPrompts(
  tokenizer: Tokenizer,
  prompts: readonly LabelledPrompt[],
  options: FormatOptions,
): FormattedPrompts {
  const { format, system, contextTokens, longPrompts } = options;
  const skipped: string[] = [];
  const formatted = prompts.flatMap((one): FormattedPrompt[] => {
    const prompt = options.normalisation === 'period' ? withPeriod(one.prompt) : one.prompt;
    const { text, ids, instruction } = promptSpans(tokenizer, prompt, {
      format,
      ...(system === '' ? {} : { system }),
    });
    if (contextTokens !== null && ids.length > contextTokens) {
      if (longPrompts === 'error') throw tooLong(one.id, ids.length, contextTokens);
      skipped.push(one.id);
      return [];
    }
    const promptEnd = Math.max(instruction[1] - 1, 0);
    const { id, label } = one;
    return [{ id, label, prompt: one.prompt, text, textSha256: sha256(text), ids, promptEnd }];
  });
  return { prompts: formatted, skipped };
}

const tooLong = (id: string, tokens: number, most: number) =>
  new DataError(`weak-probe/prompts: ${id} has ${tokens} tokens, the model was made for ${most}.`, {
    help: 'Shorten it, or leave such prompts out: --set data.longPrompts=skip',
  });
