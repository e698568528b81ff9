/** `transformer lens`: what the output would say if the pass ended at each layer. */
import { ConfigError, DataError, formatShare } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { readInterventions } from '../intervention-file.js';
import { interventionHook } from '../interventions.js';
import { type LensInput, type LensLayer, logitLens } from '../lens.js';
import { loadModel } from '../load-model.js';
import { configOf, modelTypeOf, readModelConfig } from '../model-config.js';
import { decoderBatch } from '../t5/t5-batches.js';
import { loadT5 } from '../t5/load-t5.js';
import { readT5 } from '../t5/t5-config.js';
import { t5InterventionHook } from '../t5/t5-interventions.js';
import { type T5LensInput, t5LogitLens } from '../t5/t5-lens.js';
import { tokenBatch } from '../token-batch.js';
import { loadTokenizer, type Tokenizer } from '../tokenizer.js';
import { checkpointFolder } from '../weights/checkpoint-folder.js';
import type { LoadModelOptions } from '../weights/residency.js';
import { tokenizerOf } from './generation-input.js';
import { type IdFile, readDecoderIds, readIdFile } from './id-file.js';
import {
  backendOption,
  chosenBackend,
  interventionsOption,
  modelArgument,
  residencyOf,
  residencyOptions,
} from './model-options.js';
import { sayBlindLayers, sayLongTexts } from './remarks.js';
import { sayEstimate, shapesOf } from './say-estimate.js';

/** The verb `lens`. */
export const lensCommand: CliCommand = {
  name: 'lens',
  summary: 'Say which next tokens each layer would give.',
  arguments: [modelArgument],
  options: [
    { flags: '--prompt <text>', summary: 'a text for the tokenizer of the model' },
    { flags: '--ids <file>', summary: 'JSON { "ids": [[..]], "mask": [[..]] } in its place' },
    { flags: '--top <n>', summary: 'tokens of each layer', kind: 'integer', default: 5 },
    interventionsOption,
    ...residencyOptions,
    backendOption,
  ],
  example: "transformer lens example:organism --prompt 'Hello, please polish the drum.'",
  run: async (context, input) => {
    const folder = checkpointFolder(input.arguments[0]!);
    const isT5 = modelTypeOf(folder) === 't5';
    const tokenizer = tokenizerOf(folder);
    const { ids, run } = isT5 ? t5Lens(input, folder) : decoderLens(input, folder);
    const options = residencyOf('lens', input);
    await chosenBackend(context, input);
    const layers = await run(context, options);
    context.progress.done();
    sayBlindLayers(context, layers);
    const named = layers.map(({ layer, tokens }) => ({
      layer,
      tokens: tokens.map((text) =>
        text.map((one) => ({ ...one, token: tokenizer?.tokenOf(one.id) ?? null })),
      ),
    }));
    context.printJson({ status: 'success', layers: named });
    const tables = Array.from(ids, (_, text) => textTable(layers, text, tokenizer));
    context.print(tables.join('\n'));
  },
};

/** What the flags ask for, checked before any weight is read. */
interface LensJob {
  readonly ids: IdFile['ids'];
  readonly run: (context: CliContext, options: LoadModelOptions) => Promise<LensLayer[]>;
}

function decoderLens(input: CliInput, folder: string): LensJob {
  const { layerCount, contextTokens } = readModelConfig(folder).architecture;
  const given = lensInput(input, folder);
  const run = async (context: CliContext, options: LoadModelOptions) => {
    const outline = {
      batches: shapesOf([given]),
      logits: 'last',
      outputs: layerCount + 1,
    } as const;
    sayLongTexts(context, { contextTokens }, given.ids[0]!.length);
    await sayEstimate(context, folder, { ...options, ...outline });
    context.progress.update('reading the weights');
    const model = await loadModel(folder, options);
    context.progress.update('computing');
    return logitLens(model, given).finally(() => model.dispose());
  };
  return { ids: given.ids, run };
}

function t5Lens(input: CliInput, folder: string): LensJob {
  const given = t5LensInput(input, folder);
  const run = async (context: CliContext, options: LoadModelOptions) => {
    context.progress.update('reading the weights');
    const model = await loadT5(folder, options);
    context.progress.update('computing');
    return t5LogitLens(model, given).finally(() => model.dispose());
  };
  return { ids: given.ids, run };
}

function lensInput(input: CliInput, folder: string): LensInput {
  const { architecture } = readModelConfig(folder);
  const { top, interventions } = lensOptions(input);
  for (const one of interventions) interventionHook(one, architecture);
  const texts = tokensOf(input, folder, readDecoderIds);
  // For its errors: ids that are not there, a mask of something else than 0 and 1.
  tokenBatch(texts, architecture.vocabularySize);
  return { ...texts, top, interventions };
}

/** As `lensInput`, of a T5: without decoderIds its decoder begins. */
function t5LensInput(input: CliInput, folder: string): T5LensInput {
  const architecture = readT5(configOf(folder).fields);
  const { top, interventions } = lensOptions(input);
  for (const one of interventions) t5InterventionHook(one, architecture);
  const texts = tokensOf(input, folder, readIdFile);
  const { ids, mask, decoderIds = ids.map(() => [architecture.startId]) } = texts;
  tokenBatch({ ids, mask }, architecture.vocabularySize);
  decoderBatch({ ids, decoderIds }, architecture.vocabularySize);
  return { ids, mask, decoderIds, top, interventions };
}

function lensOptions({ options }: CliInput) {
  const top = options['top'] as number;
  if (top < 1) {
    throw new ConfigError(`transformer/lens: --top is ${top}.`, { help: 'Give at least 1.' });
  }
  const changes = options['interventions'];
  return { top, interventions: typeof changes === 'string' ? readInterventions(changes) : [] };
}

function tokensOf(
  { options }: CliInput,
  folder: string,
  readIds: (path: string) => IdFile,
): IdFile {
  const [prompt, ids] = [options['prompt'], options['ids']];
  if (typeof ids === 'string' && prompt === undefined) return readIds(ids);
  if (typeof prompt !== 'string' || ids !== undefined) {
    throw new ConfigError('transformer/lens: give either --prompt or --ids.', {
      help: "transformer lens MODEL --prompt 'The capital of France is'",
    });
  }
  const row = loadTokenizer(folder).encode(prompt);
  if (row.length > 0) return { ids: [row] };
  throw new DataError('transformer/lens: the prompt has no tokens.', { help: 'Give a text.' });
}

/** A row a layer, its tokens with their shares. */
function textTable(
  layers: readonly LensLayer[],
  text: number,
  tokenizer: Tokenizer | null,
): string {
  const rows = layers.map(({ layer, tokens }) => ({
    layer,
    tokens: tokens[text]!.map(({ id, logProbability }) => {
      const name = tokenizer?.tokenOf(id) ?? String(id);
      return `${name} ${formatShare(Math.exp(logProbability))}`;
    }).join('  '),
  }));
  return table(rows, ['layer', 'tokens']);
}
