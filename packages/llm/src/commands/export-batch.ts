/** `llm export-batch`: the requests of a run as files for a provider's batch or vLLM's runner. */
import { existsSync } from 'node:fs';
import { ConfigError, formatCount, formatCounted } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { exportBatch } from '../batch.js';
import { openAnswerStore } from '../cache/answer-store.js';
import type { ChatRequest } from '../chat.js';
import { parseAddress } from '../redact.js';
import { readRows } from '../rows/row-file.js';
import { withSchema } from '../structured/with-schema.js';
import { knownCapabilities } from './run-capabilities.js';
import { runOptions } from './run-flags.js';
import { readPromptSettings, requestOf, type PromptSettings } from './run-options.js';

const shared = new Set(['what is asked', 'model']);

/** The verb `export-batch`. */
export const exportBatchCommand: CliCommand = {
  name: 'export-batch',
  summary: 'Write what a run would ask as files for a provider batch, or for vllm run-batch.',
  options: [
    ...runOptions.filter(
      ({ flags, topic = '' }) => shared.has(topic) && !flags.startsWith('--api-key'),
    ),
    {
      flags: '--cache-dir <dir>',
      summary: 'leaves out what is answered',
      unit: 'default LAB_CACHE/llm',
    },
    { flags: '--max-requests <n>', summary: 'of one file', kind: 'integer', default: 50_000 },
    {
      flags: '--max-megabytes <n>',
      summary: 'of one file',
      kind: 'number',
      default: 100,
      unit: 'MB',
    },
    { flags: '--out <dir>', summary: 'folder of the files' },
  ],
  example:
    'llm export-batch --data rows.jsonl --prompt prompt.md --base-url https://api.openai.com/v1 ' +
    '--model NAME --out batch',
  run,
};

async function run(context: CliContext, { options }: CliInput): Promise<void> {
  const settings = readPromptSettings(options, process.env);
  const server = settings.alias ?? parseAddress(settings.baseUrl)?.url;
  if (server === undefined) throw new ConfigError('--base-url is no http or https URL.');
  const { cacheDir, model, out } = settings;
  // What is only looked at is not made.
  const store = existsSync(cacheDir) ? openAnswerStore(cacheDir) : undefined;
  try {
    const made = await exportBatch(requestsOf(settings, context), {
      ...{ server, model, out, store },
      maxRequests: Number(options['maxRequests']),
      maxBytes: Number(options['maxMegabytes']) * 1_000_000,
    });
    const { files, written, known, doubled } = made;
    for (const file of files) context.print(file);
    context.note(
      `${formatCounted(written, 'request')} in ${formatCounted(files.length, 'file')}; ` +
        `answered already: ${formatCount(known)}, doubled: ${formatCount(doubled)}.`,
    );
    context.printJson({ ...made });
  } finally {
    await store?.close();
  }
}

async function* requestsOf(
  settings: PromptSettings,
  context: CliContext,
): AsyncGenerator<ChatRequest> {
  const { schema } = settings;
  // The level that a run begins with: only so are its hashes the same.
  const level = knownCapabilities(settings).capabilities.structured;
  for await (const row of readRows(settings.data, settings)) {
    context.signal.throwIfAborted();
    const request = requestOf(row, settings);
    yield schema === null ? request : withSchema(request, schema, level);
  }
}
