/**
 * What the verbs share: the model, and what computes.
 */
import { ConfigError } from '@lab/core';
import type { CliArgument, CliContext, CliInput, CliOption } from '@lab/core/cli';
import { type BackendChoice, type BackendReport, selectBackend } from '@lab/tensor';
import type { LoadModelOptions } from '../weights/residency.js';

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

/** What is changed in a pass. */
export const interventionsOption: CliOption = {
  flags: '--interventions <file>',
  summary: 'JSON [{ "kind": "zero", "site": "z", "layer": 1, "head": 2 }]',
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

/** Where weights stay. */
export const residencyOptions: readonly CliOption[] = [
  {
    flags: '--residency <where>',
    summary: 'where weights stay: on the backend, in memory as stored, or in the files',
    choices: ['auto', 'resident', 'host', 'streamed'],
    default: 'auto',
  },
  { flags: '--stream', summary: 'short for --residency streamed', kind: 'boolean' },
  { flags: '--budget <bytes>', summary: 'bytes that weights may take, such as 4GB' },
];

/** Where weights are to stay, as the flags say. */
export function residencyOf(verb: string, { options }: CliInput): LoadModelOptions {
  const residency = options['residency'] as LoadModelOptions['residency'];
  const budget = options['budget'];
  if (options['stream'] === true && residency !== 'auto' && residency !== 'streamed') {
    throw new ConfigError(`transformer/${verb}: --stream and --residency ${residency} disagree.`, {
      help: 'Give one of the two.',
    });
  }
  return {
    residency: options['stream'] === true ? 'streamed' : residency,
    budgetBytes: typeof budget === 'string' ? bytesOf(verb, budget) : undefined,
  };
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  ...{ KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 },
  ...{ KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30, TIB: 2 ** 40 },
};

function bytesOf(verb: string, text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = UNITS[(unit ?? '').toUpperCase()];
  if (number !== undefined && factor !== undefined) return Number(number) * factor;
  throw new ConfigError(`transformer/${verb}: --budget ${text} is no number of bytes.`, {
    help: 'For example 4GB, 3.5GiB or 4000000000.',
  });
}

/** The value of a flag that a verb cannot do without. */
export function requiredOption(verb: string, { options }: CliInput, name: string): string {
  const value = options[name];
  if (typeof value === 'string') return value;
  throw new ConfigError(`transformer/${verb}: --${name} is missing.`, {
    help: `transformer ${verb} --help shows an example.`,
  });
}
