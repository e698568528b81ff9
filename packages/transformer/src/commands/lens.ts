/** `transformer lens`: what the output would say if the pass ended at each layer. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, formatShare } from '@lab/core';
import { type CliCommand, type CliInput, table } from '@lab/core/cli';
import { readInterventions } from '../intervention-file.js';
import { type LensLayer, logitLens } from '../lens.js';
import { loadModel } from '../load-model.js';
import type { TokenInput } from '../token-batch.js';
import { loadTokenizer, type Tokenizer } from '../tokenizer.js';
import { checkpointFolder } from '../weights/checkpoint.js';
import { readIdFile } from './id-file.js';
import {
  backendOption,
  chosenBackend,
  interventionsOption,
  modelArgument,
  residencyOf,
  residencyOptions,
} from './model-options.js';

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
    const top = input.options['top'] as number;
    if (top < 1) {
      throw new ConfigError(`transformer/lens: --top is ${top}.`, { help: 'Give at least 1.' });
    }
    const folder = checkpointFolder(input.arguments[0]!);
    const hasTokenizer = existsSync(join(folder, 'tokenizer.json'));
    const tokenizer = hasTokenizer ? loadTokenizer(folder) : null;
    const given = tokensOf(input, folder, tokenizer);
    const changes = input.options['interventions'];
    const interventions = typeof changes === 'string' ? readInterventions(changes) : [];
    await chosenBackend(context, input);
    context.progress.update('reading the weights');
    const model = await loadModel(folder, residencyOf('lens', input));
    try {
      context.progress.update('computing');
      const layers = await logitLens(model, { ...given, top, interventions });
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

function tokensOf({ options }: CliInput, folder: string, tokenizer: Tokenizer | null): TokenInput {
  const [prompt, ids] = [options['prompt'], options['ids']];
  if (typeof ids === 'string' && prompt === undefined) {
    const { decoderIds: _, ...given } = readIdFile(ids);
    return given;
  }
  if (typeof prompt !== 'string' || ids !== undefined) {
    throw new ConfigError('transformer/lens: give either --prompt or --ids.', {
      help: "transformer lens MODEL --prompt 'The capital of France is'",
    });
  }
  if (tokenizer === null) {
    throw new ConfigError(`transformer/lens: ${folder} has no tokenizer.json.`, {
      help: 'Copy it beside the weights, or give --ids.',
    });
  }
  return { ids: [tokenizer.encode(prompt)] };
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
