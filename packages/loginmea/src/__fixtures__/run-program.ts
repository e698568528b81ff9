import { runCli } from '@lab/core/cli';
import { program } from '../program.js';

/** What a command printed and how it ended. */
export interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `loginmea` with these arguments in this process. */
export async function runProgram(...argv: readonly string[]): Promise<Printed> {
  const texts = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      texts[name] += text;
    },
  });
  const io = { stdout: stream('stdout'), stderr: stream('stderr'), env: {} };
  const code = await runCli(program, argv, io);
  return { code, ...texts };
}
