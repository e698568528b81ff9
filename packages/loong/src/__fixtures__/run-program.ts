import { runCli } from '@lab/core/cli';
import { program } from '../program.js';

/** Runs `loong` in this process; its exit code and what it wrote. */
export async function run(
  argv: readonly string[],
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stderr' | 'stdout') => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const io = { stdout: stream('stdout'), stderr: stream('stderr'), env: {} };
  const code = await runCli(program, argv, io);
  return { code, ...written };
}
