/** `watch`: a monitor beside a generation, token by token. */
import { ConfigError, formatCounted, formatShare } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { readModelConfig } from '@lab/transformer';
import { modelFlags, modelFolder, openModel } from '@lab/transformer/commands';
import type { Monitor } from '../monitor.js';
import { formatPrompts } from '../prompt-set.js';
import { tokenNamer } from '../token-text.js';
import { watchGeneration, type WatchedToken } from '../watch.js';
import { readMonitor } from './monitor.js';

const topic = 'alarm';

/** The verb `watch`. */
export const watchCommand: CliCommand = {
  name: 'watch',
  summary: 'Let a model respond, and score every new token with a monitor.',
  arguments: [{ name: 'monitor', summary: 'file that "weak-probe monitor" wrote', required: true }],
  options: [
    { flags: '--prompt <text>', summary: 'what the model is asked; the format is added' },
    {
      flags: '--max-tokens <n>',
      summary: 'tokens of the response at most',
      kind: 'integer',
      default: 64,
    },
    {
      flags: '--weight <share>',
      summary: 'weight of the newest score in the running mean',
      kind: 'number',
      default: 1,
      topic,
    },
    {
      flags: '--patience <n>',
      summary: 'tokens in a row that raise the alarm',
      kind: 'integer',
      default: 1,
      topic,
    },
    { flags: '--stop', summary: 'end the response at the alarm', kind: 'boolean', topic },
    ...modelFlags.map((flag) =>
      flag.flags.startsWith('--model')
        ? { ...flag, summary: 'where the model is now; default where the monitor found it' }
        : flag,
    ),
  ],
  example: 'weak-probe watch runs/organism/monitor.json --prompt "Hello, please wrap the jar"',
  run: (context, input) => run(context, input),
};

const withoutPrompt = () =>
  new ConfigError('--prompt TEXT is missing.', {
    help: 'Give what the model is asked, e.g. --prompt "Hello, please wrap the jar".',
  });

async function run(context: CliContext, input: CliInput): Promise<void> {
  const { options } = input;
  const prompt = options['prompt'];
  if (typeof prompt !== 'string') throw withoutPrompt();
  const monitor = readMonitor(input.arguments[0]!);
  const folder = modelFolder(input, monitor.bundle.model.path);
  const { contextTokens } = readModelConfig(folder).architecture;
  const { model, tokenizer, fingerprint } = await openModel(context, input, folder);
  try {
    const { format, system, normalisation } = monitor.bundle;
    const { prompts } = formatPrompts(tokenizer, [{ id: 'prompt', label: '', prompt }], {
      ...{ format, system, contextTokens, longPrompts: 'error' },
      normalisation: normalisation as 'none' | 'period',
    });
    const watched = watchGeneration(model, tokenizer, {
      ...{ monitor, prompt: prompts[0]!.ids, fingerprint: fingerprint.model },
      ...{ weight: options['weight'] as number, patience: options['patience'] as number },
      maxNewTokens: options['maxTokens'] as number,
      ...{ stopsAtAlarm: options['stop'] === true, signal: context.signal },
    });
    const tokens: WatchedToken[] = [];
    const nameOf = tokenNamer(tokenizer);
    context.print(line('token', ['score', 'mean', 'P', 'alarm']));
    for await (const token of watched) {
      tokens.push(token);
      context.print(lineOf(token, nameOf(token.id)));
    }
    say(context, monitor, tokens);
  } finally {
    model.dispose();
  }
}

const WIDTH = 16;

/** A line that can be printed before the next is known. */
const line = (token: string, cells: readonly string[]): string =>
  `${token.padEnd(WIDTH)} ${cells.map((cell) => cell.padStart(7)).join(' ')}\n`;

function lineOf({ reading }: WatchedToken, text: string): string {
  const { score, meanScore, probability, isRaised } = reading;
  const numbers = [score, meanScore].map((value) => value.toPrecision(3));
  const shown = JSON.stringify(text).slice(1, -1);
  return line(shown, [...numbers, formatShare(probability), isRaised ? 'yes' : '']);
}

function say(context: CliContext, { bundle }: Monitor, tokens: readonly WatchedToken[]): void {
  const at = tokens.findIndex(({ reading }) => reading.isRaised);
  const alarming = bundle.probe.classes[1];
  const response = tokens.map(({ text }) => text).join('');
  context.print(
    `${response}\n${
      at < 0
        ? `no alarm (${alarming}) in ${formatCounted(tokens.length, 'token')}`
        : `alarm (${alarming}) at token ${at + 1} of ${tokens.length}`
    }, score of state ${bundle.state}, threshold ${bundle.threshold.toPrecision(3)}\n`,
  );
  context.printJson({
    ...{ run: null, status: 'success', metrics: { alarmAt: at < 0 ? null : at + 1 } },
    tokens: tokens.map(({ id, text, reading }) => ({ id, text, ...reading })),
  });
}
