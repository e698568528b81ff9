/** `plan`: what a scan would take, before any pass over prompts. */
import { formatBytes, formatCount, formatCounted, formatDuration } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { encodePrompt, loadTokenizer } from '@lab/transformer';
import {
  chosenBackend,
  loadOptions,
  modelFolder,
  promptFormatOf,
  readPrompts,
} from '@lab/transformer/commands';
import { configuredAblation } from '../config.js';
import { planScan, type ScanOutline } from '../plan.js';
import { paperModelOf, publishedHours } from '../published.js';
import { limitsOf, scoreConfig, scoreFlags } from './score-input.js';

/** The verb `plan`. */
export const planCommand: CliCommand = {
  name: 'plan',
  summary: 'Say how long a scan would take, and in what memory.',
  options: [
    ...scoreFlags.filter(({ flags }) => !flags.startsWith('--prompt ')),
    {
      flags: '--verb <name>',
      summary: 'what is planned',
      choices: ['ships', 'sahara'],
      default: 'ships',
    },
    { flags: '--size <n>', summary: 'heads of the group', kind: 'integer', unit: 'default 3' },
    { flags: '--tokens <n>', summary: 'tokens of a prompt, without a file', kind: 'integer' },
    { flags: '--count <n>', summary: 'prompts, without a file', kind: 'integer', default: 100 },
  ],
  example: 'sahara plan --model example:organism --tokens 32 --count 100 --verb sahara',
  run: async (context, input) => {
    const { config } = await scoreConfig(input);
    const folder = modelFolder(input);
    const promptTokens = await tokensOf(context, input, folder);
    const verb = input.options['verb'] as ScanOutline['verb'];
    await chosenBackend(context, input);
    context.progress.update('measuring two blocks');
    const { batchTokens = 1024, memoryBytes = 2 ** 29 } = limitsOf(config);
    const plan = await planScan(folder, {
      ...loadOptions(input),
      ...{ promptTokens, ablation: configuredAblation(config), verb, batchTokens, memoryBytes },
      ...{ steps: config.search.size, beam: config.search.beam },
      hasLogits: verb === 'ships' || config.scores.measure === 'divergence',
    });
    context.progress.done();
    context.printJson({ run: null, status: 'planned', metrics: null, plan });
    const flops = (count: number) => `${(count / 1e12).toPrecision(3)} TFLOP`;
    const share = (100 * plan.operations) / plan.naiveOperations;
    const rows = [
      [
        'scan',
        `${formatCount(plan.headCount)} heads on ${formatCounted(plan.promptCount, 'prompt')}`,
      ],
      ['work', `${flops(plan.operations)}, ${share.toFixed(0)} % of a pass for every head`],
      ['time', `about ${formatDuration(plan.hours * 3600)}`],
      ['memory', `about ${formatBytes(plan.peakBytes)}, weights ${plan.residency}`],
    ];
    if (paperModelOf(folder) !== null) {
      const hours = publishedHours.map((one) => `${one.method} ${one.hours} h`).join(', ');
      rows.push(['paper', `on one A100, its table 2: ${hours}`]);
    }
    for (const [name, value] of rows) context.print(`${name!.padEnd(8)} ${value}\n`);
  },
};

/** Tokens of each prompt: of a file, or as flags say. */
async function tokensOf(context: CliContext, input: CliInput, folder: string): Promise<number[]> {
  const { tokens, count, prompts } = input.options;
  if (prompts === undefined && typeof tokens === 'number') {
    return Array.from({ length: count as number }, () => tokens);
  }
  const data = await readPrompts(context, input);
  const tokenizer = loadTokenizer(folder);
  const { config } = await scoreConfig(input);
  const defaults = { ...config.prompts, system: config.prompts.system || undefined };
  const format = promptFormatOf(input, tokenizer, defaults);
  return data.records.map(({ prompt }) => encodePrompt(tokenizer, prompt, format).ids.length);
}
