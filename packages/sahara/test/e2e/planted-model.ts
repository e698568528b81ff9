import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { exampleModel, type PromptRecord, readPromptData } from '@lab/transformer';
import { expect } from 'vitest';
import { runProgram, writeText } from './sahara-program.js';

/** The model of these tests, and the head that its refusals hang on. */
export const name = 'planted-grouped';
export const planted = '1-5';
export const modelFlag = ['--model', `example:${name}`];
export const model = [...modelFlag, '--backend', 'wasm'];

/** Its requests of a kind. */
export async function requests(label: 'answered' | 'refused'): Promise<readonly PromptRecord[]> {
  const { records } = await readPromptData(join(exampleModel(name), 'prompts.csv'));
  return records.filter((one) => one.label === label).slice(0, 5);
}

/** The path of a new file of prompts. */
export const file = (records: readonly PromptRecord[], title = 'prompts.jsonl'): string =>
  writeText(title, `${records.map((record) => JSON.stringify(record)).join('\n')}\n`);

/** A folder that is not there yet. */
export const folder = (): string => join(temporaryFolder(), 'out');

/** What a command prints that must succeed. */
export async function ok(...argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(...argv);
  expect(code, stderr).toBe(0);
  return stdout;
}

/** The same of its JSON. */
export const jsonOf = async (...argv: readonly string[]): Promise<Record<string, unknown>> =>
  JSON.parse(await ok(...argv, '--json')) as Record<string, unknown>;
