/** `llm work`: answers the requests that `llm run --queue` puts into a queue. */
import { ConfigError, InterruptedError } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { openAnswerStore } from '../cache/answer-store.js';
import { systemClock } from '../clock.js';
import { type WorkSummary, workOnQueue } from '../queue/work-on-queue.js';
import { waitingFlags } from './command-flags.js';
import { type FlagValues, numberOf, textOf } from './flag-values.js';
import { redisNotes } from './queue-options.js';
import { clientOptionsOf, missingFlag, readModelSettings } from './model-settings.js';

/** The verb `work`. */
export const workCommand: CliCommand = {
  name: 'work',
  summary: 'Answer the requests of "llm run --queue", with any number of processes at once.',
  options: [
    { flags: '--queue <url>', summary: 'Redis that has the queue, e.g. redis://host:6379' },
    { flags: '--base-url <url>', summary: 'server', unit: 'default LAB_BASE_URL' },
    { flags: '--alias <name>', summary: 'name of the server in hashes, as in the run' },
    { flags: '--model <name>', summary: 'as in the run' },
    { flags: '--api-key-file <file>', summary: 'key, else LAB_API_KEY or OPENAI_API_KEY' },
    { flags: '--ca <file>', summary: 'certificates to trust besides the usual ones, PEM' },
    { flags: '--concurrency <n>', summary: 'requests at once; default found', kind: 'integer' },
    {
      flags: '--cache-dir <dir>',
      summary: 'folder of answers, best shared by all',
      unit: 'default LAB_CACHE/llm',
    },
    {
      flags: '--takeover <s>',
      summary: 'silence after which others take the jobs of a process',
      kind: 'number',
      default: 30,
      unit: 's',
    },
    ...waitingFlags,
  ],
  example:
    'llm work --queue redis://host:6379 --base-url http://localhost:8000/v1 --alias vllm ' +
    '--model NAME',
  run,
};

const hint = '"llm work -h" shows an example.';

async function run(context: CliContext, { options }: CliInput): Promise<number> {
  const url = textOf(options, 'queue') ?? '';
  if (url === '') throw missingFlag('--queue URL', 'the Redis of the run', hint);
  const settings = readModelSettings(options, { hint });
  const takeoverMs = takeoverOf(options) * 1000;
  const cache = openAnswerStore(settings.cacheDir);
  context.onSecondInterrupt('ended at once; others take over the requests in flight.');
  context.note(`working for ${settings.model}; Ctrl-C finishes what is in flight and ends.`);
  const { logger, signal } = context;
  try {
    const summary = await workOnQueue({
      url,
      client: { ...clientOptionsOf(settings), cache, logger },
      ...{ signal, takeoverMs, onJob: reporter(context), onRedis: redisNotes(context) },
    });
    context.progress.done();
    const details = { results: summary };
    throw new InterruptedError(`${summaryText(summary)}; nothing is lost.`, { details });
  } finally {
    context.progress.done();
    await cache.close();
  }
}

function reporter(context: CliContext): (summary: WorkSummary) => void {
  let nextMs = 0;
  return (summary) => {
    const now = systemClock.now();
    if (now < nextMs) return;
    nextMs = now + 200;
    context.progress.update(`work  ${summaryText(summary)}`);
  };
}

function summaryText({ answered, cached, failed, rateLimited }: WorkSummary): string {
  const parts = [
    `${answered} answered`,
    cached === 0 ? '' : `${cached} from the cache`,
    failed === 0 ? '' : `${failed} failed`,
    rateLimited === 0 ? '' : `${rateLimited} pauses`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function takeoverOf(options: FlagValues): number {
  const seconds = numberOf(options, 'takeover') ?? 30;
  if (seconds > 0) return seconds;
  throw new ConfigError(`--takeover is ${seconds} and must be above 0.`);
}
