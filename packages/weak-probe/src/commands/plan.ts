/** `plan`: what a collection will take, before it begins. */
import { formatBytes, formatCount, formatDuration } from '@lab/core';
import type { CliCommand } from '@lab/core/cli';
import { chosenBackend, loadOptions } from '@lab/transformer/commands';
import { planCollection } from '../plan.js';
import { inputOptions, readPromptInput } from './prompt-input.js';

/** The verb `plan`. */
export const planCommand: CliCommand = {
  name: 'plan',
  summary: 'Say what time, memory and disk a collection will take; two blocks are measured.',
  options: inputOptions,
  example: 'weak-probe plan --model example:organism',
  run: async (context, input) => {
    const { resolved, folder, architecture, formatted } = await readPromptInput(context, input);
    await chosenBackend(context, input);
    context.progress.update('measuring two blocks');
    const plan = await planCollection({
      ...{ modelPath: folder, architecture, prompts: formatted.prompts, config: resolved.config },
      load: loadOptions(input),
    });
    context.progress.done();
    context.printJson({ run: null, status: 'success', metrics: null, plan });
    const lines = [
      ['prompts', `${formatCount(plan.prompts)}, ${formatCount(plan.tokens)} tokens`],
      ['longest', `${formatCount(plan.longestTokens)} tokens`],
      ['states', `${plan.states} of ${formatCount(plan.rows)} rows, ${plan.width} numbers each`],
      ['weights', `${plan.residency}, ${formatBytes(plan.readBytes)} from files`],
      ['time', `about ${formatDuration(plan.loadSeconds + plan.runSeconds)}`],
      ['operations', `${(plan.operations / 1e12).toPrecision(3)} TFLOP`],
      ['memory', `about ${formatBytes(plan.peakBytes)}`],
      ['disk', formatBytes(plan.diskBytes)],
    ] as const;
    for (const [name, value] of lines) context.print(`${name.padEnd(12)} ${value}\n`);
    context.print('next: the same flags with "weak-probe collect"\n');
  },
};
