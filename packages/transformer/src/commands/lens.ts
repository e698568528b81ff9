/** `transformer lens`: what the output would say if the pass ended at each layer. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, DataError, formatShare } from '@lab/core';
import { type CliCommand, type CliInput, table } from '@lab/core/cli';
import { readInterventions } from '../intervention-file.js';
import { interventionHook } from '../interventions.js';
import { type LensInput, type LensLayer, logitLens } from '../lens.js';
import { loadModel } from '../load-model.js';
import { readModelConfig } from '../model-config.js';
import { tokenBatch, type TokenInput } from '../token-batch.js';
import { loadTokenizer, type Tokenizer } from '../tokenizer.js';
import { checkpointFolder } from '../weights/checkpoint.js';
import { readDecoderIds } from './id-file.js';
import {
  assertDecoder,
  backendOption,
  chosenBackend,
  interventionsOption,
  modelArgument,
  residencyOf,
  residencyOptions,
} from './model-options.js';
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
  example: "transformer lens MODEL --prompt 'The capital of France is'",
  run: async (context, input) => {
    const folder = checkpointFolder(input.arguments[0]!);
    assertDecoder('lens', folder);
    const hasTokenizer = existsSync(join(folder, 'tokenizer.json'));
    const tokenizer = hasTokenizer ? loadTokenizer(folder) : null;
    const given = lensInput(input, folder);
    const options = residencyOf('lens', input);
    await chosenBackend(context, input);
    const outputs = readModelConfig(folder).architecture.layerCount + 1;
    const outline = { batches: shapesOf([given]), logits: 'last', outputs } as const;
    await sayEstimate(context, folder, { ...options, ...outline });
    context.progress.update('reading the weights');
    const model = await loadModel(folder, options);
    try {
      context.progress.update('computing');
      const layers = await logitLens(model, given);
      context.progress.done();
      const named = layers.map(({ layer, tokens }) => ({
        layer,
        tokens: tokens.map((text) =>
          text.map((one) => ({ ...one, token: tokenizer?.tokenOf(one.id) ?? null })),
        ),
      }));
      context.printJson({ status: 'success', layers: named });
      for (const text of given.ids.keys()) context.print(textTable(layers, text, tokenizer));
    } finally {
      model.dispose();
    }
  },
};

/** What the flags say, checked before any weight is read. */
function lensInput(input: CliInput, folder: string): LensInput {
  const { options } = input;
  const top = options['top'] as number;
  if (top < 1) {
    throw new ConfigError(`transformer/lens: --top is ${top}.`, { help: 'Give at least 1.' });
  }
  const { architecture } = readModelConfig(folder);
  const changes = options['interventions'];
  const interventions = typeof changes === 'string' ? readInterventions(changes) : [];
  for (const one of interventions) interventionHook(one, architecture);
  const texts = tokensOf(input, folder);
  // For its errors: ids that are not there, a mask of something else than 0 and 1.
  tokenBatch(texts, architecture.vocabularySize);
  return { ...texts, top, interventions };
}

function tokensOf({ options }: CliInput, folder: string): TokenInput {
  const [prompt, ids] = [options['prompt'], options['ids']];
  if (typeof ids === 'string' && prompt === undefined) return readDecoderIds(ids);
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
  return `${table(rows, ['layer', 'tokens'])}\n`;
}
