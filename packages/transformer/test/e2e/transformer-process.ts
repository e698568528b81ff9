import { fileURLToPath } from 'node:url';
import { runCli } from '@lab/core/cli';
import {
  programArguments,
  type ProcessResult,
  runProcess,
  temporaryFolder,
} from '@lab/core/testing';
import { program } from '../../src/program.js';

/** The package's folder. */
export const packageFolder = fileURLToPath(new URL('../../', import.meta.url));

/** Arguments of Node that run the program. */
export { programArguments } from '@lab/core/testing';

/** What the program finds in its environment. */
export const programEnv = {
  ...{ NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined },
  LAB_TENSOR_HOME: '/none',
};

/** Runs `transformer` as a process, in an empty folder. */
export function transformer(...args: string[]): Promise<ProcessResult> {
  const options = { cwd: temporaryFolder(), env: programEnv };
  return runProcess(process.execPath, [...programArguments(), ...args], options);
}

/** Runs `transformer` in this process: for the many ways to be refused, which take minutes else. */
export async function transformerHere(...args: string[]): Promise<ProcessResult> {
  const said = { stdout: '', stderr: '' };
  const code = await runCli(program, args, {
    stdout: { write: (text: string) => (said.stdout += text) },
    stderr: { write: (text: string) => (said.stderr += text) },
    env: {},
  });
  return { code, ...said };
}
