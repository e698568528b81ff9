import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BackendError, ConfigError } from '@lab/core';
import type { Sample } from './statistics.js';

/** What runs on the Python side. */
export interface TorchReport {
  /** Version of PyTorch. */
  readonly version: string;
  readonly python: string;
  readonly threads: number;
  /** Version of torch-geometric, null when it cannot be imported. */
  readonly torchGeometric: string | null;
}

/** The ways in which PyTorch can do an operation here, and those that failed with their reason. */
export interface TorchForms {
  readonly forms: readonly string[];
  readonly failed: Readonly<Record<string, string>>;
}

/** A Python process with PyTorch that runs one operation at a time, between our own runs. */
export interface TorchProcess {
  readonly report: TorchReport;
  /** Makes the inputs of an operation; no forms when PyTorch has no such operation. */
  prepare(op: string): Promise<TorchForms>;
  /** The time of one repetition of `count`. */
  run(form: string, count: number): Promise<Sample>;
  /** Frees the inputs. */
  release(): Promise<void>;
  /** Ends the process. */
  close(): void;
}

/** Characters of the end of standard error that an error quotes. */
const QUOTED = 500;

interface Dialogue {
  readonly child: ChildProcessWithoutNullStreams;
  /** The next line of the answers as JSON; rejects when the process has ended. */
  next(): Promise<unknown>;
}

function failureOf(python: string, errors: string, cause?: unknown): Error {
  const isAbsent = (cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
  if (isAbsent) {
    return new ConfigError(`--python: there is no program "${python}".`, {
      cause,
      help: 'give the path of a Python in which torch is installed.',
    });
  }
  const last = errors.trim().slice(-QUOTED);
  if (last.includes("No module named 'torch'")) {
    return new BackendError(`tensor/bench: ${python} has no PyTorch.`, {
      help: `install it there: ${python} -m pip install torch`,
    });
  }
  return new BackendError(`tensor/bench: ${python} ended amid its work: ${last || 'no output'}`, {
    cause,
    help: 'run the bench without --python, or with --only one operation.',
  });
}

function openDialogue(python: string, threads: number): Dialogue {
  const script = fileURLToPath(new URL('./torch_ops.py', import.meta.url));
  const child = spawn(python, [script, String(threads)], {
    stdio: 'pipe',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4 * QUOTED);
  });
  child.stdin.on('error', () => child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise<never>((_, reject) => {
    child.on('error', (cause) => reject(failureOf(python, errors, cause)));
    child.on('close', () => reject(failureOf(python, errors)));
  });
  ended.catch(() => undefined); // told to whoever asks next
  const nextLine = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    return done === true ? ended : JSON.parse(value);
  };
  return { child, next: () => Promise.race([nextLine(), ended]) };
}

/**
 * Starts a Python process with PyTorch.
 *
 * @param python - the program, e.g. `python3`.
 * @param threads - for `torch.set_num_threads`.
 * @throws {ConfigError} when there is no such program.
 * @throws {BackendError} when it has no PyTorch, or ends amid its work.
 */
export async function startTorch(python: string, threads: number): Promise<TorchProcess> {
  const { child, next } = openDialogue(python, threads);
  const report = (await next()) as TorchReport;
  const ask = (request: object): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    return next();
  };
  return {
    report,
    prepare: async (op) => (await ask({ do: 'prepare', op })) as TorchForms,
    run: async (form, count) => (await ask({ do: 'run', form, count })) as Sample,
    release: async () => void (await ask({ do: 'release' })),
    close: () => {
      child.stdin.end();
      child.kill();
    },
  };
}
