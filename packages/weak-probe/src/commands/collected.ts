/**
 * What `lens`, `graft` and `steer` read: a collection, and the model that it is of.
 */
import {
  ConfigError,
  DataError,
  InterruptedError,
  LabError,
  type ResolvedConfig,
  resumeRun,
} from '@lab/core';
import {
  type CliArgument,
  type CliContext,
  type CliInput,
  type CliOption,
  configOptions,
  readConfigInput,
} from '@lab/core/cli';
import { loadTokenizer, readModelConfig } from '@lab/transformer';
import { modelFlags, modelFolder, openModel, type OpenedModel } from '@lab/transformer/commands';
import { type Collection, openCollection } from '../collection.js';
import { type Config, weakProbeConfig } from '../config.js';
import { type FormattedPrompt, formatPrompts } from '../prompt-set.js';
import { dryRunOption, type OutlinedModel, sayOutline, type WorkOutline } from './dry-run.js';

/** The collection. */
export const collectionArgument: CliArgument = {
  name: 'run',
  summary: 'folder that "weak-probe collect" made',
  required: true,
};

/** Flags of verbs that read a collection with its model. */
export const collectedOptions: readonly CliOption[] = [
  ...modelFlags.map((flag) =>
    flag.flags.startsWith('--model')
      ? { ...flag, summary: 'where the model is now; default where it was' }
      : flag,
  ),
  ...configOptions(weakProbeConfig),
  dryRunOption,
];

/** States with their prompts. */
export interface ReadCollection {
  readonly collection: Collection;
  /** Row by row, as the model reads them. */
  readonly prompts: readonly FormattedPrompt[];
  /** Rows of a class. @throws {ConfigError} for a class that is not there. */
  rowsOf(label: string): readonly number[];
}

/** A collection as the model reads it, before that is loaded. */
export interface CollectedPrompts extends OutlinedModel, ReadCollection {
  readonly resolved: ResolvedConfig<Config>;
}

/** A collection with its model. */
export interface Collected extends CollectedPrompts, OpenedModel {}

/** What a verb does with a collection. */
export interface CollectedVerb {
  /** Values of the verb's own flags by path of the setting. */
  readonly flags?: Readonly<Record<string, unknown>> | undefined;
  outline(given: CollectedPrompts): WorkOutline;
  run(collected: Collected): Promise<void>;
}

/**
 * Opens a collection for the work of a verb, with the run locked and the model loaded; both are
 * given back at the end. With `--dry-run` it says what that will take, and no more.
 *
 * @throws {ConfigError} for states that the verb cannot read.
 * @throws {DataError} where the model is another one than the states are of.
 */
export async function withCollected(
  context: CliContext,
  input: CliInput,
  verb: CollectedVerb,
): Promise<void> {
  const dir = input.arguments[0]!;
  const collection = openCollection(dir);
  const { store, record } = collection;
  assertReadable(collection);
  const mode = input.options['mode'] ?? record.config.mode;
  const resolved = await readConfigInput(weakProbeConfig, { ...input.options, mode }, verb.flags);
  const folder = modelFolder(input, store.about.model.path);
  const { architecture } = readModelConfig(folder);
  const read = readPromptsOf(collection, { folder, architecture });
  const given = { ...read, resolved, folder, architecture };
  if (input.options['dryRun'] === true) {
    return sayOutline(context, input, verb.outline(given), given);
  }
  context.setRun(dir);
  const run = resumeRun(dir);
  try {
    const opened = await openModel(context, input, folder);
    try {
      assertSameModel(collection, opened);
      await verb.run({ ...given, ...opened });
    } catch (error) {
      throw withCommand(error);
    } finally {
      opened.model.dispose();
    }
  } finally {
    context.progress.done();
    run.release();
  }
}

/** Prompts of a collection as a model reads them. */
function readPromptsOf(
  collection: Collection,
  { folder, architecture }: OutlinedModel,
): ReadCollection {
  const { contextTokens } = architecture;
  const format = { ...collection.config.data, contextTokens };
  const { prompts } = formatPrompts(loadTokenizer(folder), collection.prompts, format);
  return { collection, prompts, rowsOf: (label) => rowsOfClass(collection, label) };
}

/**
 * Another collection of the same model.
 *
 * @throws {DataError} where it is of another one.
 */
export function otherCollection(dir: string, opened: Collected): ReadCollection {
  const collection = openCollection(dir);
  assertSameModel(collection, opened);
  return readPromptsOf(collection, opened);
}

/** An interruption that says how to go on: what is done is kept line by line. */
function withCommand(error: unknown): unknown {
  if (!isInterruption(error) || error instanceof UnsavedError) return error;
  error.message = 'saved: the same command goes on where it was';
  return error;
}

const isInterruption = (error: unknown): error is LabError =>
  LabError.is(error) && error.code === 'LAB_INTERRUPTED';

/** An interruption of work that keeps nothing until its end. */
class UnsavedError extends InterruptedError {}

/**
 * What a work gives that keeps nothing until its end; an interruption says so.
 *
 * @param what - the work, in words.
 * @throws {InterruptedError} when it was stopped; else what the work throws.
 */
export async function unsaved<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isInterruption(error)) throw error;
    throw new UnsavedError(`stopped: ${what} begins anew with the same command`, { cause: error });
  }
}

function assertReadable({ dir, store: { about } }: Collection): void {
  const isOutput = about.site === 'residual' || about.site === 'mid';
  if (isOutput && about.positions === 'last') return;
  throw new ConfigError(`${dir}: has ${about.site} states, positions ${about.positions}.`, {
    help: 'Collect with states.site=residual and states.positions=last.',
  });
}

function assertSameModel({ dir, store }: Collection, { folder, fingerprint }: OpenedModel): void {
  if (store.about.model.fingerprint === fingerprint.model) return;
  throw new DataError(`${dir}: its states are of another model than ${folder}.`, {
    help: `Give --model ${store.about.model.path}, or collect states of this one.`,
  });
}

function rowsOfClass({ store: { about, labels } }: Collection, label: string): number[] {
  const place = about.classes.indexOf(label);
  if (place >= 0) return [...labels.keys()].filter((row) => labels[row] === place);
  throw new ConfigError(`weak-probe: there is no class ${label}.`, {
    help: `There are ${about.classes.join(', ')}.`,
  });
}

/**
 * A list of numbers of a flag.
 *
 * @throws {ConfigError} for a text that is none.
 */
export function numbersOf({ options }: CliInput, name: string): number[] | undefined {
  const given = options[name] as readonly string[] | undefined;
  return given?.map((text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value)) return value;
    throw new ConfigError(`--${name} ${text} is no number.`, { help: `e.g. --${name} 1,2,3` });
  });
}

/** Whether state L of a collection stands behind the final norm: no residual. */
export const isEndNormed = ({ collection }: ReadCollection): boolean =>
  collection.store.about.isNormed;

/**
 * Refuses states that cannot be put into the residual, or taken for it.
 *
 * @param states - those that are.
 * @throws {ConfigError} for states within blocks, and for state L behind the final norm.
 */
export function assertResidual(read: ReadCollection, states: readonly number[]): void {
  const { dir, store } = read.collection;
  const { site, positions, stateCount } = store.about;
  if (site !== 'residual' || positions !== 'last') {
    throw new ConfigError(`${dir}: has ${site} states of ${positions}.`, {
      help: 'Collect with states.site=residual and states.positions=last.',
    });
  }
  const last = stateCount - 1;
  if (!isEndNormed(read) || !states.includes(last)) return;
  throw new ConfigError(`${dir}: its state ${last} stands behind the final norm.`, {
    help: `Take states below ${last}, or collect with states.isNormed=false.`,
  });
}
