import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from '@lab/core/cli';
import { captureOutput, type Printed, temporaryFolder } from '@lab/core/testing';
import { exampleModel, type PromptRecord, readPromptData } from '@lab/transformer';
import { program } from '../../src/program.js';

/** `sahara` as a process of its own: run, or killed with -9 at a line of a file. */
export { killAtLine, runProgram as saharaProcess } from '@lab/core/testing';

/** Runs `sahara` with these arguments in this process: what it prints, and its exit code. */
export const runProgram = (...argv: readonly string[]): Promise<Printed> =>
  captureOutput((io) => runCli(program, argv, io));

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
