/** `collect`: hidden states of prompts into a run folder. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ConfigError, formatBytes, formatCounted, LabError, readRunRecord } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { chosenBackend, loadOptions } from '@lab/transformer/commands';
import { collectStates, type CollectFacts, type CollectProgress } from '../collect.js';
import type { Collection } from '../collection.js';
import { inputOptions, type PromptInput, readPromptInput } from './prompt-input.js';

/** The verb `collect`. */
export const collectCommand: CliCommand = {
  name: 'collect',
  summary: 'Collect hidden states of prompts: a folder that the other verbs read.',
  options: [
    ...inputOptions,
    { flags: '-o, --out <dir>', summary: 'folder of the run; default made from model and time' },
    { flags: '--resume <dir>', summary: 'go on with a run that was ended' },
  ],
  example: 'weak-probe collect --model example:organism --limit 100 --out runs/organism',
  run: async (context, given) => {
    const dir = given.options['resume'];
    const input = typeof dir === 'string' ? resumedInput(given, dir) : given;
    const prompts = await readPromptInput(context, input);
    await chosenBackend(context, input);
    const out = typeof dir === 'string' ? dir : outOf(given, prompts);
    const collection = await runCollection(context, input, { prompts, out, given });
    const { store } = collection;
    const diskBytes = 4 * store.stateCount * store.rowCount * store.width;
    const facts = { rows: store.rowCount, states: store.stateCount, width: store.width, diskBytes };
    context.printJson({ run: out, status: 'success', metrics: null, ...facts });
    context.print(
      `${formatCounted(store.stateCount, 'state')} of ${formatCounted(store.rowCount, 'row')}, ` +
        `${store.width} numbers each: ${formatBytes(diskBytes)}\nrun     ${out}\n` +
        `next: weak-probe probe ${out}\n`,
    );
  },
};

interface RunInput {
  readonly prompts: PromptInput;
  readonly out: string;
  /** What was given on the command line, a resumption apart. */
  readonly given: CliInput;
}

/** Collects states as flags say; an interruption names the command that goes on. */
export async function runCollection(
  context: CliContext,
  input: CliInput,
  { prompts, out, given }: RunInput,
): Promise<Collection> {
  context.setRun(out);
  context.onSecondInterrupt('ended at once; the prompts at work are read again on resume.');
  const { resolved, modelPath, folder, set, formatted } = prompts;
  const facts: CollectFacts = {
    label: basename(modelPath.replace(/^example:/, '')),
    mode: resolved.mode,
    preset: resolved.preset,
    command: ['weak-probe', ...process.argv.slice(2)],
    passed: passedOf(input),
    origins: resolved.origins,
    data: set.files,
  };
  try {
    return await collectStates({
      ...{ modelPath: folder === modelPath ? resolve(folder) : modelPath, out, facts },
      ...{ classes: set.classes, prompts: formatted.prompts, config: resolved.config },
      isResumed: given.options['resume'] !== undefined,
      load: loadOptions(input),
      signal: context.signal,
      onProgress: collectReporter(context),
    });
  } catch (error) {
    throw withResume(error, out);
  } finally {
    context.progress.done();
  }
}

/** Progress of a collection as a line. */
export function collectReporter({ progress }: CliContext): (at: CollectProgress) => void {
  return ({ stage, done, total }) => {
    if (stage === 'loading') progress.update('reading the weights');
    else progress.update(`collect  prompt ${done}/${total}`, total === 0 ? 1 : done / total);
  };
}

/** Flags that a resumed run takes from its record. */
const ownFlags = new Set(['resume', 'out', 'json', 'quiet', 'debug']);

const passedOf = ({ options }: CliInput): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(options).filter(([name, value]) => !ownFlags.has(name) && value !== undefined),
  );

/**
 * The flags of a run that is to go on; where and what computes may be given anew.
 *
 * @throws {ConfigError} for other flags beside `--resume`.
 */
function resumedInput(given: CliInput, dir: string): CliInput {
  const machine = ['backend', 'threads', 'residency', 'memory', 'model'];
  const more = ['class', 'prompts', 'classes', 'column', 'limit', 'format', 'systemFile', 'preset'];
  const wrong = [...more, 'mode', 'config', 'set', 'seed', 'out'].filter(
    (name) => given.options[name] !== undefined,
  );
  if (wrong.length > 0) {
    throw new ConfigError(
      `--resume goes on with the run's own settings, not ${wrong.join(', ')}.`,
      {
        help: 'leave them out, or begin a new run.',
      },
    );
  }
  const passed = (readRunRecord(dir).config.passed ?? {}) as Record<string, unknown>;
  const own = machine.flatMap((name) =>
    [undefined, 'auto'].includes(given.options[name] as string)
      ? []
      : [[name, given.options[name]] as const],
  );
  return { arguments: [], options: { ...passed, ...Object.fromEntries(own) } };
}

/** Where a run goes: the folder that was named, else one of model and number. */
function outOf({ options }: CliInput, { modelPath }: PromptInput): string {
  const named = options['out'];
  if (typeof named === 'string') return named;
  const name = basename(modelPath.replace(/^example:/, '')).replace(/[^\w.-]+/g, '-');
  for (let number = 1; ; number += 1) {
    const dir = join('runs', number === 1 ? `weak-probe-${name}` : `weak-probe-${name}-${number}`);
    if (!existsSync(dir)) return dir;
  }
}

/** An interruption with the command that goes on. */
function withResume(error: unknown, out: string): unknown {
  if (!LabError.is(error) || error.code !== 'LAB_INTERRUPTED') return error;
  error.message = `saved: resume with "weak-probe collect --resume ${out}"`;
  return error;
}
