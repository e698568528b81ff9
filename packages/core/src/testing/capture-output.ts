/** What a command printed and how it ended. */
export interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Stream {
  write(text: string): void;
}

/** The streams that a command writes to, and an empty environment. */
export interface CapturedIo {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * What a command prints in this process; for `(io) => runCli(program, argv, io)`.
 *
 * @param run - gives the exit code.
 */
export async function captureOutput(run: (io: CapturedIo) => Promise<number>): Promise<Printed> {
  const texts = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      texts[name] += text;
    },
  });
  const code = await run({ stdout: stream('stdout'), stderr: stream('stderr'), env: {} });
  return { code, ...texts };
}
