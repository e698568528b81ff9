/**
 * What the verbs share: the model, and what computes.
 */
import { ConfigError } from '@lab/core';
import type { CliArgument, CliContext, CliInput, CliOption } from '@lab/core/cli';
import { type BackendChoice, type BackendReport, selectBackend } from '@lab/tensor';

/** The checkpoint. */
export const modelArgument: CliArgument = {
  name: 'model',
  summary: 'folder of a Hugging Face checkpoint, or of the local Hugging Face cache',
  required: true,
};

/** What computes. */
export const backendOption: CliOption = {
  flags: '--backend <name>',
  summary: 'what computes',
  choices: ['auto', 'tensorflow-gpu', 'tensorflow', 'wasm', 'webgpu', 'cpu'],
  default: 'auto',
};

/** The backend that was asked for. */
export async function chosenBackend(
  context: CliContext,
  { options }: CliInput,
): Promise<BackendReport> {
  const logger = { ...context.logger, info: () => undefined };
  const backend = await selectBackend(options['backend'] as BackendChoice, { logger });
  context.addFact('backend', `${backend.name}, ${backend.reason}`);
  return backend;
}

/** The value of a flag that a verb cannot do without. */
export function requiredOption(verb: string, { options }: CliInput, name: string): string {
  const value = options[name];
  if (typeof value === 'string') return value;
  throw new ConfigError(`transformer/${verb}: --${name} is missing.`, {
    help: `transformer ${verb} --help shows an example.`,
  });
}
