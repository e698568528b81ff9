import {
  killAtLine as killProgram,
  type KillPlace,
  type ProcessOptions,
  type ProcessResult,
  runProcess,
} from '@lab/core/testing';

/** Arguments of Node that run the program: as built under `npm test`, else from sources. */
const programArguments = JSON.parse(process.env['LAB_PROGRAM'] ?? '[]') as string[];

const plain = {
  NO_COLOR: undefined,
  FORCE_COLOR: undefined,
  CI: undefined,
  LAB_API_KEY: undefined,
};

/** Runs `loong` as a process. */
export function loong(
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const env = { ...plain, ...options.env };
  return runProcess(process.execPath, [...programArguments, ...args], { ...options, env });
}

/** Starts `loong` and kills it with -9 at a line of a file; whether it was at work. */
export const killAtLine = (args: readonly string[], at: KillPlace): Promise<boolean> =>
  killProgram([...programArguments, ...args], at);
