import { runCli } from '@lab/core/cli';
import { program } from '../../src/program.js';

/** What a command said. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `llm` in this process. */
export async function sayHere(...argv: string[]): Promise<Said> {
  const said = { stdout: '', stderr: '' };
  const code = await runCli(program, argv, {
    stdout: { write: (text: string) => (said.stdout += text) },
    stderr: { write: (text: string) => (said.stderr += text) },
    env: {},
  });
  return { code, ...said };
}

/** Runs `llm` in this process, with `--json`, and reads what that prints. */
export async function llmHere(
  ...argv: string[]
): Promise<Said & { readonly json: Record<string, unknown> }> {
  const said = await sayHere(...argv, '--json');
  try {
    return { ...said, json: JSON.parse(said.stdout) as Record<string, unknown> };
  } catch {
    throw new Error(`exit ${said.code}: ${said.stdout}\n${said.stderr}`);
  }
}
