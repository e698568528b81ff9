/** `assemble`: the prompts themselves, to look at or to use elsewhere. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { ConfigError, formatCount, formatPercent, makeFolder, sha256 } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, configOptions } from '@lab/core/cli';
import { textOf } from '@lab/llm/commands';
import { loongConfig } from '../config.js';
import { promptOf } from '../answer-record.js';
import { askedBenchmark, dataOptions } from './data-options.js';
import { configOf } from './run.js';
import { openRetriever } from './session.js';

/** The verb `assemble`. */
export const assembleCommand: CliCommand = {
  name: 'assemble',
  summary: 'Write the prompts as JSON lines: what a model is asked, and what did not fit.',
  options: [
    ...dataOptions,
    { flags: '--max-length <n>', summary: 'window of the model, tokens', kind: 'integer' },
    { flags: '--out <file>', summary: 'file of prompts' },
    ...configOptions(loongConfig),
  ],
  example: 'loong assemble --data loong.jsonl --docs doc --limit 5 --out prompts.jsonl',
  run: (context, input) => run(context, input),
};

async function run(context: CliContext, { options }: CliInput): Promise<void> {
  const out = textOf(options, 'out');
  if (out === undefined) {
    throw new ConfigError('--out FILE is missing.', { help: 'e.g. --out prompts.jsonl.' });
  }
  const { config } = await configOf(options);
  const { records, library } = await askedBenchmark(options);
  const open = openRetriever(context, options, config.rag);
  makeFolder(dirname(out));
  const file = createWriteStream(out);
  const sums = { tokens: 0, dropped: 0, truncated: 0 };
  try {
    for (const [index, record] of records.entries()) {
      context.signal.throwIfAborted();
      const made = await promptOf(record, { config, library, retriever: open.retriever });
      sums.tokens += made.promptTokens;
      sums.dropped += made.docsDropped.length;
      sums.truncated += made.docsDropped.length > 0 ? 1 : 0;
      const line = JSON.stringify({ id: record.id, promptHash: sha256(made.prompt), ...made });
      if (!file.write(`${line}\n`)) await once(file, 'drain');
      context.progress.update(`assemble  ${index + 1}/${records.length}`, index / records.length);
    }
  } finally {
    file.end();
    await once(file, 'close');
    await open.close();
  }
  context.progress.done();
  const share = formatPercent(sums.truncated / records.length);
  context.print(
    `${formatCount(records.length)} prompts of ${formatCount(sums.tokens)} tokens in ${out}\n` +
      `${share} lack documents that do not fit (${formatCount(sums.dropped)} documents)\n`,
  );
  context.printJson({ run: null, status: 'success', metrics: null, out, ...sums });
}
