/** `transformer hidden`: logits and hidden states of token ids, as a safetensors file. */
import { formatBytes, formatCounted, formatDuration } from '@lab/core';
import type { CliCommand, CliContext } from '@lab/core/cli';
import { writeSafetensors, type WritableArray } from '@lab/tensor/io';
import type { Captured } from '../captures.js';
import { loadModel } from '../load-model.js';
import { hiddenStates } from '../hidden-states.js';
import { modelTypeOf, readModelConfig } from '../model-config.js';
import { estimateRun } from '../run-estimate.js';
import { blockFits } from '../run-memory.js';
import type { BatchShape, RunOutline } from '../run-outline.js';
import { loadT5 } from '../t5/load-t5.js';
import type { TokenInput } from '../token-batch.js';
import { checkpointFolder } from '../weights/checkpoint-folder.js';
import type { LoadModelOptions } from '../weights/residency.js';
import { type IdFile, readDecoderIds, readIdFile } from './id-file.js';
import {
  assertDecoder,
  backendOption,
  chosenBackend,
  modelArgument,
  requiredOption,
  residencyOf,
  residencyOptions,
} from './model-options.js';
import { assertOutputFile } from './output-file.js';
import { sayLongTexts, sayNotANumber } from './remarks.js';
import { sayEstimate, shapesOf } from './say-estimate.js';
import { emptyArray, placeRows, type TextArray } from './placed-rows.js';
import { batchTokensOf, batchTokensOption, type TextBatch, textBatches } from './text-batches.js';

/** The verb `hidden`. */
export const hiddenCommand: CliCommand = {
  name: 'hidden',
  summary: 'Write logits and hidden states of token ids.',
  arguments: [modelArgument],
  options: [
    {
      flags: '--ids <file>',
      summary: 'JSON { "ids": [[..]], "mask": [[..]], "decoderIds": [[..]] }',
    },
    {
      flags: '-o, --out <file>',
      summary: 'safetensors file with logits and hidden.0, hidden.1 ..',
    },
    ...residencyOptions,
    batchTokensOption,
    {
      flags: '--plan',
      summary: 'say what time and memory it will take, and end',
      kind: 'boolean',
    },
    backendOption,
  ],
  example: 'transformer hidden MODEL --ids ids.json --out states.safetensors',
  run: async (context, input) => {
    const ids = requiredOption('hidden', input, 'ids');
    const folder = checkpointFolder(input.arguments[0]!);
    const isT5 = modelTypeOf(folder) === 't5';
    const isPlan = input.options['plan'] === true;
    if (isPlan) assertDecoder('hidden', folder, '--plan');
    const out = isPlan ? '' : requiredOption('hidden', input, 'out');
    const most = batchTokensOf('hidden', input);
    const options = residencyOf('hidden', input);
    const given = isT5 ? readIdFile(ids) : readDecoderIds(ids);
    if (!isPlan) assertOutputFile('hidden', out, 'states.safetensors');
    await chosenBackend(context, input);
    if (isT5) context.progress.update('reading the weights');
    const tensors = isT5
      ? await t5States(folder, given, options)
      : await decoderTensors(context, { folder, given, options, most, isPlan });
    if (tensors === null) return 0;
    context.progress.done();
    const { logits, ...states } = tensors;
    sayNotANumber(context, { ...states, logits: logits! });
    await writeSafetensors(out, tensors);
    const names = Object.keys(tensors);
    const sizeBytes = Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0);
    const { shape } = logits!;
    context.printJson({ status: 'success', out, names, logits: shape });
    context.print(
      `${out}: ${formatCounted(names.length, 'array')}, ${formatBytes(sizeBytes)}\n` +
        `logits [${shape.join(', ')}], ${names.filter((name) => name !== 'logits').join(', ')}\n`,
    );
    return 0;
  },
};

const sayLong = (context: CliContext, folder: string, { ids }: TokenInput): void =>
  sayLongTexts(context, readModelConfig(folder).architecture, ids[0]!.length);

type States = Record<string, WritableArray>;

const arrayOf = ({ shape, data }: Captured): WritableArray => ({ shape, data });

function batchesOf(
  folder: string,
  texts: TokenInput,
  { most, ...options }: LoadModelOptions & { readonly most: number },
): TextBatch[] {
  const { architecture } = readModelConfig(folder);
  return textBatches(texts, architecture, { most, fits: blockFits(architecture, options) });
}

const UNITS = [
  [1e15, 'PFLOP'],
  [1e12, 'TFLOP'],
  [1e9, 'GFLOP'],
  [1e6, 'MFLOP'],
] as const;

interface Run {
  readonly folder: string;
  readonly batches: readonly TextBatch[];
  readonly options: LoadModelOptions;
}

/** Bytes of the arrays that are written, but for the logits of the batches alone. */
function writtenBytes(folder: string, batches: readonly BatchShape[], length: number): number {
  const { width, layerCount, vocabularySize } = readModelConfig(folder).architecture;
  const tokens = batches.reduce((sum, one) => sum + one.batchSize * one.length, 0);
  const rows = length * batches.reduce((sum, { batchSize }) => sum + batchSize, 0);
  return 4 * (rows * ((layerCount + 1) * width + vocabularySize) - tokens * vocabularySize);
}

async function printPlan(context: CliContext, folder: string, outline: RunOutline): Promise<void> {
  context.progress.update('measuring two blocks');
  const { signal } = context;
  const plan = await estimateRun(folder, { ...outline, signal });
  context.progress.done();
  const { residency, loadSeconds, runSeconds, operations, peakBytes, readBytes } = plan;
  context.printJson({ status: 'success', ...plan });
  const lines = [
    ['weights', `${residency}, ${formatBytes(readBytes)} from files`],
    ['load', `about ${formatDuration(loadSeconds)}`],
    ['run', `about ${formatDuration(runSeconds)}, ${formatOperations(operations)}`],
    ['memory', `about ${formatBytes(peakBytes)}`],
  ];
  for (const [name, value] of lines) context.print(`${name!.padEnd(14)} ${value}\n`);
}

/** `2.5 TFLOP`. */
function formatOperations(operations: number): string {
  const [factor, unit] = UNITS.find(([least]) => operations >= least) ?? UNITS.at(-1)!;
  return `${(operations / factor).toPrecision(3)} ${unit}`;
}

/** What is asked of a decoder. */
interface DecoderJob {
  readonly folder: string;
  readonly given: TokenInput;
  readonly options: LoadModelOptions;
  readonly most: number;
  readonly isPlan: boolean;
}

/** The arrays of a decoder; null where only its plan was asked for. */
async function decoderTensors(context: CliContext, job: DecoderJob): Promise<States | null> {
  const { folder, given, options, most, isPlan } = job;
  // The memory of the backend says how much goes together.
  const batches = batchesOf(folder, given, { ...options, most });
  const [length, shapes] = [given.ids[0]!.length, shapesOf(batches)];
  const keptBytes = writtenBytes(folder, shapes, length);
  const outline = { ...options, batches: shapes, keptBytes };
  if (isPlan) {
    await printPlan(context, folder, outline);
    return null;
  }
  sayLong(context, folder, given);
  await sayEstimate(context, folder, outline);
  context.progress.update('reading the weights');
  return decoderStates(context, { folder, batches, options }, length);
}

/** States and logits of all texts, in the order of the file; padding is 0. */
async function decoderStates(
  context: CliContext,
  { folder, batches, options }: Run,
  length: number,
): Promise<States> {
  const model = await loadModel(folder, options);
  try {
    const { layerCount } = model.architecture;
    const { signal } = context;
    const textCount = batches.reduce((sum, { places }) => sum + places.length, 0);
    const form = { axes: ['B', 'T', model.architecture.width], textCount, length } as const;
    const arrays = new Map<string, TextArray>();
    const place = (name: string, batch: TextBatch, values: Captured) => {
      const all = arrays.get(name) ?? emptyArray(values, form);
      arrays.set(name, all);
      placeRows(all, values, { batch, form });
    };
    const all = hiddenStates(model, batches, { logits: true, signal });
    for await (const { layer, batch, logits, ...states } of all) {
      const done = `block ${layer} of ${layerCount}, batch ${batch + 1} of ${batches.length}`;
      context.progress.update(`computing, ${done}`);
      place(`hidden.${layer}`, batches[batch]!, states);
      if (logits !== undefined) place('logits', batches[batch]!, logits);
    }
    const sorted = [...arrays].toSorted(([one]) => (one === 'logits' ? -1 : 0));
    return Object.fromEntries(sorted);
  } finally {
    model.dispose();
  }
}

async function t5States(
  folder: string,
  { decoderIds, ...given }: IdFile,
  options: LoadModelOptions,
): Promise<States> {
  const model = await loadT5(folder, options);
  try {
    const { startId, encoderLayerCount, decoderLayerCount } = model.architecture;
    const capture = /\.hook_resid_pre$|\.final_ln\.hook_normalized$/;
    const begins = decoderIds ?? given.ids.map(() => [startId]);
    const result = await model.forward({ ...given, decoderIds: begins, capture });
    const states: States = {
      logits: { shape: result.logits.shape, data: await floats(result.logits) },
    };
    const sides = [
      { side: 'decoder', key: 'hidden', count: decoderLayerCount },
      { side: 'encoder', key: 'encoder', count: encoderLayerCount },
    ];
    for (const { side, key, count } of sides) {
      for (let layer = 0; layer <= count; layer += 1) {
        const place = layer === count ? 'final_ln.hook_normalized' : `${layer}.hook_resid_pre`;
        states[`${key}.${layer}`] = arrayOf(result.captured.get(`${side}.${place}`)!);
      }
    }
    result.dispose();
    return states;
  } finally {
    model.dispose();
  }
}

const floats = async (x: { data(): Promise<unknown> }) => (await x.data()) as Float32Array;
