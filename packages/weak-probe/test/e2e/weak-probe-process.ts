import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { type ProcessOptions, type ProcessResult, runProcess } from '@lab/core/testing';

/** Arguments of Node that run the program: as built under `npm test`, else from sources. */
const programArguments = JSON.parse(process.env['LAB_PROGRAM'] ?? '[]') as string[];

const plain = { NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined };

/** Runs `weak-probe` as a process. */
export function weakProbe(
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const env = { ...plain, ...options.env };
  return runProcess(process.execPath, [...programArguments, ...args], { ...options, env });
}

/** Lines of a file that are whole. */
export function wholeLines(path: string): string[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  return text.split('\n').slice(0, -1);
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 2));

/** Starts `weak-probe`, and kills it once a file has so many lines; whether it was at work. */
export async function killAtLine(
  args: readonly string[],
  { path, lines }: { readonly path: string; readonly lines: number },
): Promise<boolean> {
  const child = spawn(process.execPath, [...programArguments, ...args], { stdio: 'ignore' });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.on('close', (_code, signal) => resolve(signal));
  });
  while (child.exitCode === null && wholeLines(path).length < lines) await turn();
  child.kill('SIGKILL');
  return (await ended) === 'SIGKILL';
}
