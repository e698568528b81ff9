/**
 * What a run was made from: rows, prompts and schema, where they still are what they were.
 */
import { existsSync, readFileSync } from 'node:fs';
import { ConfigError, hashFile, type RunRecord, sha256 } from '@lab/core';
import type { ChatMessage } from '../chat.js';
import { type PromptTemplate, readPrompt } from '../prompt.js';
import { type FileRow, readRows } from '../rows/row-file.js';

type ReadPrompt = PromptTemplate & { readonly text: string };

/** What a run was made from, as far as it is still there. */
export interface RunInput {
  /** The rows once more; undefined where the file is gone or another. */
  readonly rows: (() => AsyncIterable<FileRow>) | undefined;
  /** What a row was asked; undefined where a prompt is gone or another. */
  readonly messagesOf: ((row: FileRow) => readonly ChatMessage[]) | undefined;
  /** Fields that the prompt puts into its text; empty where it is gone. */
  readonly slots: readonly string[];
  /** Text of the prompt with its slots. */
  readonly prompt: string | undefined;
  readonly system: string | undefined;
  readonly schema: string | undefined;
  /** What is not there any more, as sentences. */
  readonly remarks: readonly string[];
}

/**
 * Looks for what a run of `llm run` was made from, in the files that it names.
 *
 * @param given - the file of the rows, where it is not where it was.
 * @throws {ConfigError} when that file is another one.
 */
export async function findRunInput({ config, data }: RunRecord, given?: string): Promise<RunInput> {
  const passed = (config.passed ?? {}) as Readonly<Record<string, unknown>>;
  const resolved = (config.resolved ?? {}) as Readonly<Record<string, unknown>>;
  const path = await rowsOf(data, given);
  const prompt = promptOf(passed['prompt'], resolved['prompt']);
  const system = promptOf(passed['system'], resolved['system']);
  const isWhole = prompt !== undefined && (resolved['system'] == null || system !== undefined);
  const idField = typeof resolved['idField'] === 'string' ? resolved['idField'] : undefined;
  return {
    rows: path === undefined ? undefined : () => readRows(path, { idField }),
    messagesOf: isWhole ? (row) => messagesOf(row, prompt, system) : undefined,
    slots: prompt?.slots ?? [],
    prompt: prompt?.text,
    system: system?.text,
    schema: textOf(passed['schema'], resolved['schema']),
    remarks: [
      ...(path === undefined ? ['the rows are not where they were, or changed'] : []),
      ...(isWhole ? [] : ['the prompt is not where it was, or changed']),
    ],
  };
}

/** The file of the rows, if it is still the same. */
async function rowsOf(
  [first]: RunRecord['data'],
  given: string | undefined,
): Promise<string | undefined> {
  const path = given ?? first?.path;
  if (path !== undefined && (await isSameFile(path, first?.sha256))) return path;
  if (given === undefined) return undefined;
  const { path: name = 'no file', sha256: digest = '' } = first ?? {};
  throw new ConfigError(`${given} is not the file that the run was made from.`, {
    help: `the run was made from ${name}, SHA-256 ${digest.slice(0, 12)}...`,
  });
}

function messagesOf(
  row: FileRow,
  prompt: ReadPrompt,
  system: ReadPrompt | undefined,
): readonly ChatMessage[] {
  const first =
    system === undefined ? [] : [{ role: 'system', content: system.fill(row) } as const];
  return [...first, { role: 'user', content: prompt.fill(row) }];
}

async function isSameFile(path: string, digest: string | undefined): Promise<boolean> {
  return existsSync(path) && (await hashFile(path)).sha256 === digest;
}

function promptOf(path: unknown, digest: unknown): ReadPrompt | undefined {
  if (typeof path !== 'string' || !existsSync(path)) return undefined;
  const prompt = readPrompt(path);
  return sha256(prompt.text) === digest ? prompt : undefined;
}

function textOf(path: unknown, digest: unknown): string | undefined {
  if (typeof path !== 'string' || !existsSync(path)) return undefined;
  const text = readFileSync(path, 'utf8');
  return sha256(text) === digest ? text : undefined;
}
