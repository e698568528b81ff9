import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from '@lab/core/cli';
import {
  captureOutput,
  killAtLine as killProgram,
  type KillPlace,
  type Printed,
  type ProcessOptions,
  type ProcessResult,
  runProcess,
  temporaryFolder,
} from '@lab/core/testing';
import { exampleModel, type PromptRecord, readPromptData } from '@lab/transformer';
import { program } from '../../src/program.js';

/** Runs `sahara` with these arguments in this process: what it prints, and its exit code. */
export const runProgram = (...argv: readonly string[]): Promise<Printed> =>
  captureOutput((io) => runCli(program, argv, io));

/** Arguments of Node that run the program: as built under `npm test`, else from sources. */
const programArguments = JSON.parse(process.env['LAB_PROGRAM'] ?? '[]') as string[];

/** Runs `sahara` as a process of its own. */
export function saharaProcess(
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const env = { NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined, ...options.env };
  return runProcess(process.execPath, [...programArguments, ...args], { ...options, env });
}

/** Starts `sahara` and kills it with -9 at a line of a file; whether it was at work. */
export const killAtLine = (args: readonly string[], at: KillPlace): Promise<boolean> =>
  killProgram([...programArguments, ...args], at);

/** Requests of the trained example model, refused or answered ones. */
export async function organismRecords(label: string, count: number): Promise<PromptRecord[]> {
  const { records } = await readPromptData(join(exampleModel('organism'), 'prompts.csv'));
  return records.filter((one) => one.label === label).slice(0, count);
}

/** The path of a new file of prompts. */
export function writePrompts(records: readonly PromptRecord[]): string {
  const path = join(temporaryFolder(), 'prompts.jsonl');
  const lines = records.map(({ id, prompt, response }) => JSON.stringify({ id, prompt, response }));
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** The path of a new file with this content. */
export function writeText(name: string, content: string): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

/** A copy of an example model whose files may be changed. */
export function copyModel(name: string): string {
  const folder = join(temporaryFolder(), name);
  cpSync(exampleModel(name), folder, { recursive: true });
  return folder;
}

/** Changes a JSON file of a copied model. */
export function changeJson(
  path: string,
  change: (value: Record<string, unknown>) => Record<string, unknown>,
): void {
  const value = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify(change(value)));
}
