/** `transformer generate`: texts go on. */
import { formatCounted, formatDuration, formatNumber } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import type { ContinuationOptions, GenerationResult } from '../generation/engine.js';
import { generate } from '../generation/generate.js';
import { generateT5 } from '../generation/generate-t5.js';
import { DEFAULT_NEW_TOKENS } from '../generation/request-settings.js';
import { loadModel } from '../load-model.js';
import type { Model } from '../model.js';
import { modelTypeOf } from '../model-config.js';
import { estimateRun } from '../run-estimate.js';
import { loadT5 } from '../t5/load-t5.js';
import { checkpointFolder } from '../weights/checkpoint-folder.js';
import {
  assertFlags,
  beamOptions,
  continuationOptions,
  type GenerationInput,
  generationInput,
  promptOptions,
  samplingOptions,
  searchOptions,
} from './generation-input.js';
import {
  backendOption,
  chosenBackend,
  interventionsOption,
  modelArgument,
  residencyOf,
  residencyOptions,
} from './model-options.js';

/** The verb `generate`. */
export const generateCommand: CliCommand = {
  name: 'generate',
  summary: 'Continue a text, a conversation or token ids.',
  arguments: [modelArgument],
  options: [
    ...promptOptions,
    ...samplingOptions,
    ...beamOptions,
    interventionsOption,
    ...residencyOptions,
    backendOption,
  ],
  example: "transformer generate example:organism --prompt 'Could you polish the drum?'",
  run: async (context, input) => {
    const folder = checkpointFolder(input.arguments[0]!);
    const isT5 = modelTypeOf(folder) === 't5';
    assertFlags(input, folder, isT5);
    const options = continuationOptions(input);
    const given = generationInput(input, folder);
    await chosenBackend(context, input);
    context.progress.update('reading the weights');
    const work = { folder, given, options, input };
    const results = isT5 ? await writtenByT5(context, work) : await continued(context, work);
    context.signal.throwIfAborted();
    say(context, { ...given, isT5 }, results);
  },
};

interface Work {
  readonly folder: string;
  readonly given: GenerationInput;
  readonly options: ContinuationOptions;
  readonly input: CliInput;
}

/** Continuations of a decoder; a text is written as it comes. */
async function continued(context: CliContext, work: Work): Promise<GenerationResult[]> {
  const { folder, given, options, input } = work;
  const model = await loadModel(folder, residencyOf('generate', input));
  try {
    await warnOfReading(context, work, model);
    context.progress.done();
    const total = given.prompts.length * (options.maxNewTokens ?? DEFAULT_NEW_TOKENS);
    let done = 0;
    const results = await timed(context, () =>
      generate(model, given.prompts, {
        ...options,
        ...(given.tokenizer && { tokenizer: given.tokenizer }),
        contextTokens: input.options['context'] as number | undefined,
        signal: context.signal,
        onToken: ({ text }) => {
          done += 1;
          if (!given.areIds) context.printPart(text);
          if (given.areIds || context.flags.json) {
            context.progress.update(`computing, ${done} of ${total} tokens`, done / total);
          }
        },
      }),
    );
    if (!given.areIds) context.print('');
    return results;
  } finally {
    model.dispose();
  }
}

async function writtenByT5(context: CliContext, work: Work): Promise<GenerationResult[]> {
  const { folder, given, options, input } = work;
  const { hooks: _, useCache: __, ...settings } = options;
  const model = await loadT5(folder, residencyOf('generate', input));
  try {
    context.progress.update('computing');
    const results = await timed(context, () =>
      generateT5(model, given.prompts, {
        ...{ ...settings, ...searchOptions(input), signal: context.signal },
        ...(given.tokenizer && { tokenizer: given.tokenizer }),
      }),
    );
    if (!given.areIds) context.print(`${results.map(({ text }) => text).join('\n')}\n`);
    return results;
  } finally {
    model.dispose();
  }
}

/** Says what it costs where weights are read again for every token. */
async function warnOfReading(
  context: CliContext,
  { folder, given, options }: Work,
  { residency }: Model,
): Promise<void> {
  if (residency === 'resident') return;
  const batches = [{ batchSize: given.prompts.length, length: 1 }];
  const outline = { residency, batches, logits: 'last', signal: context.signal } as const;
  const { runSeconds } = await estimateRun(folder, outline);
  const all = formatDuration(runSeconds * (options.maxNewTokens ?? DEFAULT_NEW_TOKENS));
  const where = residency === 'host' ? 'brought to the backend' : 'read from the files';
  context.note(
    `weights are ${where} again for every new token: about ${formatDuration(runSeconds)} each, ` +
      `${all} in all; a larger --budget, or more texts at once, saves time`,
  );
}

/** Says how long the work took. */
async function timed(
  context: CliContext,
  work: () => Promise<GenerationResult[]>,
): Promise<GenerationResult[]> {
  const began = performance.now();
  const results = await work();
  context.progress.done();
  const seconds = (performance.now() - began) / 1000;
  const tokens = results.reduce((sum, { usage }) => sum + usage.newTokens, 0);
  const rate = formatNumber(tokens / seconds);
  const reasons = [...new Set(results.map(({ finishReason }) => finishReason))].join(', ');
  const time = formatDuration(seconds);
  context.note(`${formatCounted(tokens, 'token')} in ${time}, ${rate} a second; end: ${reasons}`);
  return results;
}

function say(
  context: CliContext,
  { prompts, areIds, isT5 }: GenerationInput & { readonly isT5: boolean },
  results: readonly GenerationResult[],
): void {
  // What a T5 writes does not go on from its input.
  const ids = results.map((result, at) => [...(isT5 ? [] : prompts[at]!), ...result.ids]);
  const continuations = results.map(({ events: _, ...result }) => result);
  context.printJson({ status: 'success', ids, continuations });
  if (areIds) context.print(`${JSON.stringify({ ids })}\n`);
}
