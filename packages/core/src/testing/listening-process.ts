import { spawn } from 'node:child_process';
import type { ProcessOptions } from './process.js';

/** A process that serves until it is closed. */
export interface ListeningProcess {
  /** The first line that it wrote to stdout, e.g. `http://127.0.0.1:40123/v1`. */
  readonly address: string;
  /** Sends SIGTERM; the exit code, null where a signal ended it. */
  close(): Promise<number | null>;
}

/** Of what a process says on stderr so many characters are shown where it did not start. */
const shownCharacters = 2000;

/**
 * Starts a process that serves, and waits for its first line on stdout, which is its address.
 *
 * @throws {Error} when it ends before that, with what it wrote to stderr.
 */
export function startListening(
  command: string,
  args: readonly string[],
  options: Pick<ProcessOptions, 'cwd' | 'env'> = {},
): Promise<ListeningProcess> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', (code) => resolve(code));
  });
  // A test that fails before it closes its server leaves none behind.
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  void ended.then(() => process.off('exit', kill));
  const close = (): Promise<number | null> => {
    child.kill('SIGTERM');
    return ended;
  };
  return new Promise((resolve, reject) => {
    let [said, remarks] = ['', ''];
    child.on('error', reject);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      remarks = `${remarks}${text}`.slice(-shownCharacters);
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const end = said.indexOf('\n');
      if (end >= 0) resolve({ address: said.slice(0, end), close });
    });
    void ended.then((code) => reject(new Error(`${command} ended with ${code}: ${remarks}`)));
  });
}
