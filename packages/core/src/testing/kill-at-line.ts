import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { programArguments } from './program.js';

/** Where {@link killAtLine} ends a program. */
export interface KillPlace {
  /** A file that the program writes. */
  readonly path: string;
  /** Whole lines that it has then, at least. */
  readonly lines: number;
}

/** The lines of a file that are whole; none where there is no file. */
export function wholeLines(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 2));

/**
 * Starts the program of the package that is tested and kills it with -9 once a file has so many
 * lines.
 *
 * @returns whether the program was still at work.
 */
export async function killAtLine(args: readonly string[], at: KillPlace): Promise<boolean> {
  const child = spawn(process.execPath, [...programArguments(), ...args], { stdio: 'ignore' });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.on('close', (_code, signal) => resolve(signal));
  });
  while (child.exitCode === null && wholeLines(at.path).length < at.lines) await turn();
  child.kill('SIGKILL');
  return (await ended) === 'SIGKILL';
}
