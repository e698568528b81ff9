import { type ProcessOptions, type ProcessResult, runProcess } from './process.js';

/**
 * Arguments of Node that run the program of the package that is tested: as built under `npm test`,
 * else from sources. Vitest's e2e projects give them in `LAB_PROGRAM`.
 */
export const programArguments = (): string[] =>
  JSON.parse(process.env['LAB_PROGRAM'] ?? '[]') as string[];

/** What a user's terminal does not have: it is taken out of the environment of a program. */
const plain = {
  NO_COLOR: undefined,
  FORCE_COLOR: undefined,
  CI: undefined,
  LAB_API_KEY: undefined,
};

/** Runs the program of the package that is tested. */
export function runProgram(
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const env = { ...plain, ...options.env };
  return runProcess(process.execPath, [...programArguments(), ...args], { ...options, env });
}
