/**
 * What the verbs share: the model, and what computes.
 */
import { ConfigError } from '@lab/core';
import type { CliArgument, CliContext, CliInput, CliOption } from '@lab/core/cli';
import { type BackendChoice, type BackendReport, selectBackend } from '@lab/tensor';
import { modelTypeOf } from '../model-config.js';
import type { LoadModelOptions } from '../weights/residency.js';

/** The checkpoint. */
export const modelArgument: CliArgument = {
  name: 'model',
  summary:
    'folder of a Hugging Face checkpoint, name in its cache (org/name), file *.gguf, or ' +
    'example:organism',
  required: true,
};

/** What computes. */
export const backendOption: CliOption = {
  flags: '--backend <name>',
  summary: 'what computes',
  choices: ['auto', 'tensorflow-gpu', 'tensorflow', 'wasm', 'webgpu', 'cpu'],
  default: 'auto',
};

/** How many of its threads compute. */
export const threadsOption: CliOption = {
  flags: '--threads <n>',
  summary: 'threads of wasm and tensorflow; results do not depend on it',
  kind: 'integer',
  unit: 'default as many as processors may be used',
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
  const threads = options['threads'] as number | undefined;
  const backend = await selectBackend(options['backend'] as BackendChoice, {
    ...{ logger, ...(threads !== undefined && { threads }) },
  });
  context.addFact('backend', `${backend.name}, ${backend.reason}`);
  return backend;
}

/**
 * Refuses a T5 where only a decoder can be used.
 *
 * @param what - the verb, or a flag of it.
 * @throws {ConfigError} for a T5.
 */
export function assertDecoder(verb: string, folder: string, what = verb): void {
  if (modelTypeOf(folder) !== 't5') return;
  throw new ConfigError(`transformer/${verb}: ${what} is for decoders, ${folder} is a T5.`, {
    help:
      what === verb
        ? 'Take generate, hidden, cache, lens or validate for a T5.'
        : `Leave ${what} out for a T5.`,
  });
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
    budgetBytes: typeof budget === 'string' ? bytesOf(verb, '--budget', budget) : undefined,
  };
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  ...{ KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 },
  ...{ KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30, TIB: 2 ** 40 },
};

/**
 * The bytes that a text such as `4GB` names.
 *
 * @param flag - whose value it is.
 * @throws {ConfigError} for another text.
 */
export function bytesOf(verb: string, flag: string, text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = UNITS[(unit ?? '').toUpperCase()];
  if (number !== undefined && factor !== undefined) return Number(number) * factor;
  throw new ConfigError(`transformer/${verb}: ${flag} ${text} is no number of bytes.`, {
    help: 'For example 4GB, 3.5GiB or 4000000000.',
  });
}

/** The value of a flag that a verb cannot do without. */
export function requiredOption(verb: string, { options }: CliInput, name: string): string {
  const value = options[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new ConfigError(`transformer/${verb}: --${name} is missing.`, {
    help: `transformer ${verb} --help shows an example.`,
  });
}
