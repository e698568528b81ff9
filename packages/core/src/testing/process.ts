import { spawn } from 'node:child_process';

/** The signals that {@link runProcess} can send. */
export type ProcessSignal = 'SIGHUP' | 'SIGINT' | 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT';

/** Settings of {@link runProcess}. */
export interface ProcessOptions {
  /** Ends the process with SIGKILL when aborted. */
  readonly signal?: AbortSignal | undefined;
  readonly cwd?: string | undefined;
  /** Added to the environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Text for stdin; default none. */
  readonly input?: string | undefined;
  /** Signals to send, in this order, each when its text appears in stdout or stderr. */
  readonly send?: readonly { readonly after: string; readonly signal: ProcessSignal }[] | undefined;
}

/** How a process ended. */
export interface ProcessResult {
  /** Exit code; 128 + number for a process ended by a signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const signalNumbers: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Code and output of a process; it does not throw for exit codes other than 0. */
export function runProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: 'pipe',
      ...(options.signal ? { signal: options.signal, killSignal: 'SIGKILL' as const } : {}),
    });
    const output = { stdout: '', stderr: '' };
    const waiting = [...(options.send ?? [])];
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
        while (waiting[0] && output.stdout.concat(output.stderr).includes(waiting[0].after)) {
          child.kill(waiting.shift()?.signal);
        }
      });
    }
    child.on('error', (error) => {
      if (error.name !== 'AbortError') reject(error);
    });
    child.on('close', (code, signal) => {
      resolve({ code: code ?? 128 + (signalNumbers[signal ?? ''] ?? 0), ...output });
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}
