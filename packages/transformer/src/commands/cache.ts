/** `transformer cache`: values from inside a model, as safetensors or npy. */
import { formatCounted } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import type { WritableArray } from '@lab/tensor/io';
import { hookNames, placeName } from '../hook-names.js';
import { readInterventions } from '../intervention-file.js';
import { type Intervention, interventionHook } from '../interventions.js';
import { loadModel } from '../load-model.js';
import type { Model } from '../model.js';
import { modelTypeOf, readModelConfig } from '../model-config.js';
import { blockFits } from '../run-memory.js';
import { type IdRows, tokenBatch } from '../token-batch.js';
import { checkpointFolder } from '../weights/checkpoint-folder.js';
import { openCheckpoint } from '../weights/checkpoint.js';
import { chosenResidency, type LoadModelOptions } from '../weights/residency.js';
import { ARRAY_FORMATS, type ArrayFormat, arrayOutput, describeWritten } from './array-output.js';
import { readT5Job, t5Arrays } from './cache-t5.js';
import { textArrays, textsOf } from './cache-texts.js';
import {
  backendOption,
  chosenBackend,
  interventionsOption,
  modelArgument,
  requiredOption,
  residencyOf,
  residencyOptions,
} from './model-options.js';
import { placesLike } from './place-patterns.js';
import { sayLongTexts, sayNotANumber } from './remarks.js';
import { sayEstimate, shapesOf } from './say-estimate.js';
import { type ArrayForm, emptyArray, placeRows, type TextArray } from './placed-rows.js';
import { batchTokensOf, batchTokensOption, type TextBatch, textBatches } from './text-batches.js';

/** The verb `cache`. */
export const cacheCommand: CliCommand = {
  name: 'cache',
  summary: 'Write the values at any places inside a model.',
  arguments: [modelArgument],
  options: [
    {
      flags: '--names <list>',
      summary: 'places by any of their names (inspect --hooks); * stands for any characters',
      kind: 'list',
    },
    {
      flags: '--prompts <file>',
      summary: 'a prompt a line; or *.jsonl with { "text" } or { "messages": [{ role, content }] }',
    },
    { flags: '--ids <file>', summary: 'JSON { "ids": [[..]], "mask": [[..]] } in its place' },
    {
      flags: '-o, --out <path>',
      summary: 'a file *.safetensors, or a folder: arrays by the own names of places, ids, mask',
    },
    {
      flags: '--format <name>',
      summary: 'npy: one file an array, and index.json',
      choices: ARRAY_FORMATS,
      default: 'safetensors',
    },
    {
      flags: '--positions <which>',
      summary: 'last: of each text its last token, T is 1',
      choices: ['all', 'last'],
      default: 'all',
    },
    interventionsOption,
    batchTokensOption,
    ...residencyOptions,
    backendOption,
  ],
  example: "transformer cache MODEL --names 'blocks.*.attn.hook_z' --prompts prompts.txt --out z/",
  run: async (context, input) => {
    const folder = checkpointFolder(input.arguments[0]!);
    const out = requiredOption('cache', input, 'out');
    const isT5 = modelTypeOf(folder) === 't5';
    const options = residencyOf('cache', input);
    const job = isT5 ? await readT5Job(input, folder) : await readJob(input, folder);
    const output = arrayOutput(out, input.options['format'] as ArrayFormat);
    await chosenBackend(context, input);
    const arrays =
      'decoderIds' in job
        ? await t5Arrays(job, { context, options })
        : await decoderArrays(job, { context, options });
    context.progress.done();
    sayNotANumber(context, arrays);
    const written = await output.write(arrays);
    const names = Object.keys(arrays);
    context.printJson({ status: 'success', out: written.file, names });
    context.print(`${describeWritten(written)}, ${formatCounted(names.length, 'array')}\n`);
    context.print(`${formatCounted(job.ids.length, 'text')} of ${job.ids[0]!.length} tokens\n`);
  },
};

async function decoderArrays(
  job: CacheJob,
  { context, options }: { readonly context: CliContext; readonly options: LoadModelOptions },
): Promise<Record<string, WritableArray>> {
  sayLongTexts(context, job, job.ids[0]!.length);
  const batches = batchesOf(job, options);
  await sayEstimate(context, job.folder, {
    ...options,
    batches: shapesOf(batches),
    order: 'batches',
    stopBlock: blocksFor(job),
    logits: logitsFor(job),
  });
  context.progress.update('reading the weights');
  const model = await loadModel(job.folder, options);
  try {
    return await capturedArrays(model, { ...job, batches }, context);
  } finally {
    model.dispose();
  }
}

/** What is to be done, checked before any weight is read. */
interface CacheJob {
  readonly folder: string;
  readonly layerCount: number;
  readonly contextTokens: number | null;
  readonly places: ReadonlySet<string>;
  readonly ids: IdRows;
  readonly mask: IdRows;
  readonly interventions: readonly Intervention[];
  readonly positions: 'all' | 'last';
  /** Tokens of a batch. */
  readonly most: number;
}

async function readJob(input: CliInput, folder: string): Promise<CacheJob> {
  const { options } = input;
  const { architecture } = readModelConfig(folder);
  const places = placesLike(
    (options['names'] ?? []) as string[],
    hookNames({ architecture }, { optional: true }),
    (name) => placeName(name, architecture, 'transformer/cache'),
  );
  const given = options['interventions'];
  const interventions = typeof given === 'string' ? readInterventions(given) : [];
  for (const one of interventions) interventionHook(one, architecture);
  const positions = options['positions'] as 'all' | 'last';
  const most = batchTokensOf('cache', input);
  const { ids, mask } = await textsOf(input, folder);
  // For its errors, before any weight is read.
  tokenBatch({ ids, mask }, architecture.vocabularySize);
  const { layerCount, contextTokens } = architecture;
  const model = { folder, layerCount, contextTokens };
  return { ...model, places, ids, mask, interventions, positions, most };
}

/** The texts in batches; the memory of the backend, chosen before, says where weights stay. */
const batchesOf = (
  { folder, ids, mask, interventions, most }: CacheJob,
  options: LoadModelOptions,
): TextBatch[] => {
  const { architecture } = readModelConfig(folder);
  return textBatches({ ids, mask }, architecture, {
    most,
    fits: blockFits(architecture, options),
    // Positions of changes count padding, and values that are put in are of whole rows.
    isFixed: interventions.length > 0,
    // Weights that do not stay on the backend are read again for each batch.
    isFewest: !isResident(folder, options),
  });
};

function isResident(folder: string, options: LoadModelOptions): boolean {
  const files = openCheckpoint(folder);
  try {
    return chosenResidency(files, options) === 'resident';
  } finally {
    files.close();
  }
}

/** Values of all places, and ids and mask, all texts below each other; padding is 0. */
async function capturedArrays(
  model: Model,
  job: CacheJob & { readonly batches: readonly TextBatch[] },
  { progress, signal }: CliContext,
): Promise<Record<string, WritableArray>> {
  const arrays: Record<string, TextArray> = {};
  const { places, ids, mask, interventions, positions, batches } = job;
  const { architecture } = model;
  const axes = new Map(
    hookNames({ architecture }, { optional: true }).map(({ name, shape }) => [name, shape]),
  );
  const texts = { textCount: ids.length, length: ids[0]!.length, isLast: positions === 'last' };
  let done = 0;
  for (const batch of batches) {
    signal.throwIfAborted();
    progress.update(`computing, text ${done + 1} of ${ids.length}`, done / ids.length);
    const result = await model.forward({
      ...{ ids: batch.ids, mask: batch.mask, interventions, logits: logitsFor(job), signal },
      ...{ stopBlock: blocksFor(job), capturePositions: positions },
      capture: (name) => places.has(name),
    });
    result.dispose();
    for (const [name, values] of result.captured) {
      const form: ArrayForm = { ...texts, axes: axes.get(name)! };
      arrays[name] ??= emptyArray(values, form);
      placeRows(arrays[name], values, { batch, form });
    }
    done += batch.places.length;
  }
  return { ...arrays, ...textArrays({ ids, mask }) };
}

const logitsFor = ({ places, positions }: CacheJob) =>
  places.has('hook_logits') ? positions : 'none';

/** Blocks that must run for the places. */
function blocksFor({ places, layerCount }: CacheJob): number {
  if (places.has('hook_logits') || [...places].some((name) => name.startsWith('ln_final.'))) {
    return layerCount;
  }
  const blocks = [...places].map((name) => Number(/^blocks\.(\d+)/.exec(name)?.[1] ?? -1));
  return Math.max(...blocks) + 1;
}
