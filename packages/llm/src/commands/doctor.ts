/** `llm doctor`: what a server can do, by a handful of small requests. */
import { ConfigError } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import type { ClientOptions } from '../client-options.js';
import { systemClock } from '../clock.js';
import { keepCapabilities } from '../kept-capabilities.js';
import { modelsOf, type ProbeReport, probeServer } from '../probe.js';
import { parseAddress } from '../redact.js';
import { underTopic } from './flag-values.js';
import { apiKeyOf } from './option-files.js';
import { serverSettings, timeoutFlags } from './server-flags.js';

/** The verb `doctor`. */
export const doctorCommand: CliCommand = {
  name: 'doctor',
  summary: 'Say what a server can do: plain text, JSON, logprobs, long prompts, embeddings.',
  options: [
    { flags: '--base-url <url>', summary: 'server', unit: 'default LAB_BASE_URL' },
    { flags: '--model <name>', summary: 'as the server calls it', unit: 'default its only one' },
    { flags: '--api-key-file <file>', summary: 'key, else LAB_API_KEY or OPENAI_API_KEY' },
    { flags: '--ca <file>', summary: 'certificates to trust besides the usual ones, PEM' },
    {
      flags: '--long-tokens <n>',
      summary: 'length of the long prompt',
      kind: 'integer',
      unit: 'default 6000',
    },
    ...underTopic('waiting', timeoutFlags),
  ],
  example: 'llm doctor --base-url http://localhost:8000/v1 --model NAME',
  run,
};

async function run(context: CliContext, input: CliInput): Promise<void> {
  const { options, longTokens } = await readSettings(context, input);
  const { baseUrl = '', model } = options;
  const url = parseAddress(baseUrl)?.url ?? '';
  const report = await probeServer(options, {
    signal: context.signal,
    longTokens,
    onProbe: (name) => context.progress.update(`probing: ${name}`),
  });
  context.progress.done();
  const file = keepCapabilities(report.capabilities, { baseUrl, model, date: systemClock.date() });
  context.printJson({ status: 'success', url, model, ...report, file });
  print(context, { url, model, report });
  const kept = file === null ? 'could not be kept' : `is kept for a day in ${file}`;
  context.note(`this ${kept}`);
}

interface Findings {
  readonly url: string;
  readonly model: string;
  readonly report: ProbeReport;
}

function print(context: CliContext, { url, model, report }: Findings): void {
  const { servedModel, findings, capabilities } = report;
  const served = servedModel === model ? '' : ` (serves ${servedModel})`;
  const { contextTokens } = capabilities;
  const window = contextTokens === null ? 'not stated' : contextTokens.toLocaleString('en-US');
  context.print(`${model}${served} at ${url}, window ${window}\n`);
  const rows = findings.map(({ probe, state, note, milliseconds }) => ({
    ...{ probe, state, note },
    seconds: milliseconds / 1000,
  }));
  const columns = ['probe', 'state', { key: 'seconds', decimals: 2 }, 'note'];
  context.print(table(rows, columns));
}

async function readSettings(
  context: CliContext,
  { options: given }: CliInput,
): Promise<{ options: ClientOptions; longTokens: number | undefined }> {
  const { env } = process;
  const text = (name: string): string | undefined =>
    typeof given[name] === 'string' ? given[name] : undefined;
  const baseUrl = text('baseUrl') ?? env['LAB_BASE_URL'] ?? env['OPENAI_BASE_URL'];
  if (baseUrl === undefined || baseUrl === '') {
    throw new ConfigError('--base-url URL is missing.', {
      help: 'e.g. --base-url http://localhost:8000/v1',
    });
  }
  const apiKey = apiKeyOf(text('apiKeyFile'), env);
  const { longTokens } = given;
  if (typeof longTokens === 'number' && longTokens < 100) {
    throw new ConfigError(`--long-tokens is ${longTokens} and must be at least 100.`);
  }
  const { timeouts } = serverSettings(given);
  const server = { baseUrl, apiKey, ca: text('ca'), timeouts, logger: context.logger };
  const model = text('model') ?? (await onlyModel(server, context.signal));
  return {
    options: { ...server, model },
    longTokens: typeof longTokens === 'number' ? longTokens : undefined,
  };
}

async function onlyModel(
  server: Omit<ClientOptions, 'model'>,
  signal: AbortSignal,
): Promise<string> {
  const models = await modelsOf({ ...server, model: 'any' }, signal);
  const [first, second] = models;
  if (first !== undefined && second === undefined) return first.id;
  const names = models.slice(0, 20).map(({ id }) => id);
  throw new ConfigError(`--model NAME is missing; the server has ${models.length} models.`, {
    help: names.length === 0 ? 'name one.' : `one of ${names.join(', ')}.`,
  });
}
