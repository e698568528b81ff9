/** `align`: the pairs themselves, from a trained run or from two graphs of one's own. */
import { assertWritableFolder, ConfigError, formatCounted, openRun } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, configOptions } from '@lab/core/cli';
import type { BackendReport } from '@lab/tensor';
import { alignAdded } from '../added-entities.js';
import { type AlignedPair, alignEntities } from '../align.js';
import { candidateTable } from '../candidate-table.js';
import { fittedConfidence, searchFolder } from '../conclude.js';
import type { FittedConfidence } from '../run-summary.js';
import { writeEmbeddings } from '../embeddings.js';
import { pairFormat, pairFormats, writePairs } from '../export.js';
import { type Matching, matchings } from '../matchings.js';
import type { AlignmentMethod } from '../method.js';
import { restoreRun } from '../restore.js';
import type { TrainingState } from '../training-state.js';
import {
  type Addition,
  addedOptions,
  addedRecord,
  addEntities,
  assertAdded,
  noteAdded,
} from './align-added.js';
import {
  assertFolder,
  backendOptions,
  epochsOption,
  given,
  ownGraphOptions,
  ownGraphs,
  textOption,
} from './options.js';
import { readConfidence } from './run-confidence.js';
import { searchReporter } from './search-progress.js';
import { chosenBackend, newRun, trainAndConclude, trainingConfig } from './train.js';

/** The verb `align`. */
export const alignCommand = (method: AlignmentMethod): CliCommand => ({
  name: 'align',
  summary: 'Write the pairs: every entity outside the seeds with its counterpart.',
  options: [
    { flags: '--run <dir>', summary: 'a trained run', topic: 'data' },
    ...ownGraphOptions,
    ...addedOptions,
    ...configOptions(method.config),
    epochsOption(method),
    { flags: '--runs <dir>', summary: 'folder of runs', topic: 'output', default: 'runs' },
    {
      flags: '--out <file>',
      summary: `where to write (${pairFormats.map((ending) => `.${ending}`).join(', ')})`,
      topic: 'output',
      default: 'pairs.csv',
    },
    {
      flags: '--matching <name>',
      summary:
        'best target of each source, mutual best pairs, or each target once (greedy, sinkhorn)',
      topic: 'output',
      choices: matchings,
      default: 'best',
    },
    {
      flags: '--min-confidence <p>',
      summary: 'leave out pairs below it: their source has no counterpart',
      topic: 'output',
      kind: 'number',
      default: 0,
    },
    {
      flags: '--embeddings <dir>',
      summary:
        'also write the vectors of all entities: left.npy, right.npy, and .csv with their ids',
      topic: 'output',
    },
    ...backendOptions,
  ],
  example: `${method.name} align --source a.csv --target b.csv --links seeds.csv --out pairs.csv`,
  run: (context, input) => runAlign(method, context, input),
});

async function runAlign(
  method: AlignmentMethod,
  context: CliContext,
  input: CliInput,
): Promise<number> {
  const { options } = input;
  assertOptions(method.name, options);
  const out = textOption(options, 'out')!;
  const embeddings = textOption(options, 'embeddings');
  const backend = await chosenBackend(context, input);
  const dir = textOption(options, 'run') ?? (await trainOwn(method, context, input, backend));
  context.setRun(dir);
  context.progress.update('reading the run');
  const { state } = await restoreRun(method, dir);
  const addition =
    options['added'] === undefined
      ? null
      : await addEntities(method, state, options).finally(() => state.dispose());
  const aligned = addition?.state ?? state;
  try {
    context.progress.update('searching counterparts');
    const found = await findPairs(context, { state: aligned, addition, options, dir });
    const { origin: seedOrigin, seeds } = aligned.task.split;
    const { entityNames } = aligned.task.data;
    await writePairs(out, found.pairs, { entityNames, seedOrigin });
    if (embeddings !== undefined) await writeEmbeddings(embeddings, aligned);
    context.progress.done();
    tell(context, {
      ...found,
      name: method.name,
      epochs: aligned.epoch,
      seeds: seeds.length / 2,
      seedOrigin,
      out,
      embeddings,
      dir,
      addition,
    });
    return 0;
  } finally {
    aligned.dispose();
  }
}

/** What cannot be written, or would do nothing, is said before the work, not after it. */
function assertOptions(name: string, options: CliInput['options']): void {
  const out = textOption(options, 'out')!;
  const embeddings = textOption(options, 'embeddings');
  pairFormat(out);
  assertFolder(`${name} align`, '--out', out);
  if (embeddings !== undefined) assertWritableFolder(embeddings);
  assertUsed(name, options);
  assertShare(name, options['minConfidence'] as number);
  assertAdded(name, options);
}

/** The pairs that were asked for, with the confidence of the run. */
async function findPairs(
  context: CliContext,
  { state, addition, options, dir }: Search,
): Promise<Pick<Written, 'pairs' | 'sources' | 'stored'>> {
  const { signal } = context;
  const matching = options['matching'] as Matching;
  const minConfidence = options['minConfidence'] as number;
  const kept = readConfidence(dir);
  if (kept === null && minConfidence > 0 && addition !== null) context.note(uncalibrated);
  if (addition !== null) {
    const confidence = kept?.model ?? null;
    const wish = { matching, minConfidence, confidence, signal };
    const { added } = addition.found;
    return { pairs: await alignAdded(state, added, wish), sources: added.length, stored: kept };
  }
  const table = await candidateTable(state, {
    signal,
    folder: searchFolder(openRun(dir)),
    onProgress: searchReporter(context, 'searching counterparts'),
  });
  const stored = kept ?? fittedConfidence(state, table);
  if (stored === null && minConfidence > 0) context.note(uncalibrated);
  const pairs = alignEntities(table, stored?.model ?? null, { matching, minConfidence });
  return { pairs, sources: table.sources.length, stored };
}

/** Where a threshold meets pairs without a confidence. */
const uncalibrated =
  'note: there is no confidence, so --min-confidence leaves out pairs with a smaller margin';

/** What is searched, and how. */
interface Search {
  readonly state: TrainingState;
  /** Entities that came later, when they alone are asked for. */
  readonly addition: Addition | null;
  readonly options: CliInput['options'];
  readonly dir: string;
}

/** Refuses a threshold that no confidence can have. */
function assertShare(name: string, minConfidence: number): void {
  if (minConfidence >= 0 && minConfidence <= 1) return;
  throw new ConfigError(`${name} align: --min-confidence is ${minConfidence}.`, {
    help: 'give a number from 0 to 1',
  });
}

/** What only a training reads, by the name of its option. */
const trainingFlags = {
  source: '--source',
  target: '--target',
  links: '--links',
  sourceAttributes: '--source-attributes',
  targetAttributes: '--target-attributes',
  sourceImages: '--source-images',
  targetImages: '--target-images',
  seeds: '--seeds',
  preset: '--preset',
  mode: '--mode',
  config: '--config',
  seed: '--seed',
  epochs: '--epochs',
} as const;

/** Refuses flags that would do nothing beside `--run`. */
function assertUsed(name: string, options: CliInput['options']): void {
  if (options['run'] === undefined) return;
  const flags = Object.entries(trainingFlags).filter(([key]) => options[key] !== undefined);
  const names: string[] = flags.map(([, flag]) => flag);
  const settings = options['set'];
  if (Array.isArray(settings) && settings.length > 0) names.push('--set');
  if (names.length === 0) return;
  throw new ConfigError(`${name} align: ${names.join(', ')} would do nothing beside --run.`, {
    help: 'leave them out, or leave out --run to train on two graphs',
  });
}

interface Written {
  readonly pairs: readonly AlignedPair[];
  readonly sources: number;
  /** Of the method. */
  readonly name: string;
  /** How long the model was trained. */
  readonly epochs: number;
  /** Pairs that were trained on; they are not among `pairs`. */
  readonly seeds: number;
  /** Where they came from. */
  readonly seedOrigin: string;
  readonly out: string;
  /** Folder of the vectors, when asked for. */
  readonly embeddings: string | undefined;
  readonly stored: FittedConfidence | null;
  readonly dir: string;
  readonly addition: Addition | null;
}

function tell(context: CliContext, written: Written): void {
  const { pairs, sources, seeds, seedOrigin, out, embeddings, stored, dir, addition } = written;
  if (stored === null) context.note(emptyText(written));
  if (addition !== null) noteAdded(context, addition);
  context.printJson({
    run: dir,
    status: 'success',
    metrics: null,
    out,
    embeddings: embeddings ?? null,
    pairs: pairs.length,
    sources,
    seeds,
    seedOrigin,
    confidence: stored?.quality ?? null,
    confidenceFrom: stored?.fittedOn ?? null,
    ...(addition === null ? {} : { added: addedRecord(addition) }),
  });
  const without = sources - pairs.length;
  const unpaired = formatCounted(without, 'entity', 'entities');
  const whose =
    addition === null ? '' : ` of ${formatCounted(sources, 'added entity', 'added entities')}`;
  context.print(
    `${formatCounted(pairs.length, 'pair')}${whose} in ${out}` +
      `${without > 0 ? `; ${unpaired} without a counterpart` : ''}\n` +
      `not listed: ${formatCounted(seeds, 'seed')} of the training ` +
      `(${seedOrigin})\n`,
  );
  if (embeddings !== undefined) context.print(`vectors in ${embeddings}\n`);
}

/** Why there is no confidence, and what to do where something can be done. */
function emptyText({ name, epochs, dir }: Written): string {
  const reason =
    epochs === 0
      ? 'the run was trained for 0 epochs, so its pairs are those of an untrained model; train ' +
        `on: ${name} train --resume ${dir} --epochs N`
      : 'too few known pairs outside of training to calibrate';
  return `note: ${reason}; confidence is empty, pairs are ordered by margin`;
}

/** Trains on the two graphs that the flags name; the run folder. */
async function trainOwn(
  method: AlignmentMethod,
  context: CliContext,
  input: CliInput,
  backend: BackendReport,
): Promise<string> {
  const own = ownGraphs(input.options);
  if (own === undefined) {
    throw new ConfigError(`${method.name} align: neither a run nor two graphs were given.`, {
      help: 'give --run DIR, or --source FILE --target FILE --links FILE',
    });
  }
  const config = await trainingConfig(method, input, 'own');
  const data = { own, ...given({ seedsFile: textOption(input.options, 'seeds') }) };
  const run = newRun(method, textOption(input.options, 'runs') ?? 'runs', 'own');
  return (await trainAndConclude(method, context, { config, data, run }, backend)).run;
}
