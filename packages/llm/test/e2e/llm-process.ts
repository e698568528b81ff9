import { spawn } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programArguments, temporaryFolder, wholeLines } from '@lab/core/testing';

/** The package's folder. */
export const packageFolder = fileURLToPath(new URL('../../', import.meta.url));

/** `llm` as a process, and the arguments of Node that run it. */
export { programArguments, runProgram as llm } from '@lab/core/testing';

/** A file of rows and a prompt, in a folder of their own. */
export function writeRows(count: number): { readonly data: string; readonly prompt: string } {
  const dir = temporaryFolder();
  const [data, prompt] = [join(dir, 'rows.jsonl'), join(dir, 'prompt.md')];
  const rows = Array.from({ length: count }, (_, i) => ({ id: `row ${i}`, text: `question ${i}` }));
  writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  writeFileSync(prompt, 'Say something about {{text}}.\n');
  return { data, prompt };
}

/** The ids of the predictions of a run. */
export const idsOf = (path: string): string[] =>
  wholeLines(path).map((line) => (JSON.parse(line) as { id: string }).id);

const turn = () => new Promise((resolve) => setTimeout(resolve, 2));

/**
 * Starts `llm` and kills it with -9 some milliseconds after a file has grown; resolves to whether
 * it was still at work.
 */
export async function killAfterGrowth(
  args: readonly string[],
  { path, laterMs }: { readonly path: string; readonly laterMs: number },
): Promise<boolean> {
  const sizeOf = () => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const before = sizeOf();
  const child = spawn(process.execPath, [...programArguments(), ...args], { stdio: 'ignore' });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.on('close', (_code, signal) => resolve(signal));
  });
  // A torn line is cut at the start, so the file may be smaller first.
  let low = before;
  while (child.exitCode === null && sizeOf() <= low) {
    low = Math.min(low, sizeOf());
    await turn();
  }
  const end = performance.now() + laterMs;
  while (child.exitCode === null && performance.now() < end) await turn();
  child.kill('SIGKILL');
  return (await ended) === 'SIGKILL';
}
