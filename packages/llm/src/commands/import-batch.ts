/** `llm import-batch`: the answers of a provider's batch into the cache. */
import { join } from 'node:path';
import { ConfigError, formatCount, formatCounted, writeFileAtomic } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { readBatchMessages } from '../batch.js';
import { type BatchFailure, type BatchImport, importBatch } from '../batch-import.js';
import { openAnswerStore } from '../cache/answer-store.js';

/** The verb `import-batch`. */
export const importBatchCommand: CliCommand = {
  name: 'import-batch',
  summary: 'Put the answers of a batch into the cache, where a run finds them.',
  arguments: [
    {
      name: 'output',
      summary: 'output and error files of the batch',
      required: true,
      variadic: true,
    },
  ],
  options: [
    {
      flags: '--batch <file>',
      summary: 'files of export-batch: finds cut prompts and missing answers',
      kind: 'repeated',
    },
    { flags: '--cache-dir <dir>', summary: 'folder of answers', unit: 'default LAB_CACHE/llm' },
    { flags: '--model <name>', summary: 'where the server names none' },
    { flags: '--failures <file>', summary: 'JSON lines of what brought no answer' },
  ],
  example: 'llm import-batch output.jsonl --batch batch/batch-0.jsonl --failures failed.jsonl',
  run,
};

async function run(context: CliContext, input: CliInput): Promise<void> {
  const { arguments: paths, options } = input;
  const { batch, cacheDir, model, failures: failuresPath } = options;
  if (paths.length === 0) throw new ConfigError('there is no output file to import.');
  const dir =
    typeof cacheDir === 'string' ? cacheDir : join(process.env['LAB_CACHE'] ?? '.lab-cache', 'llm');
  const messages = Array.isArray(batch) ? await readBatchMessages(batch.map(String)) : undefined;
  const failures: BatchFailure[] = [];
  const store = openAnswerStore(dir);
  let summary: BatchImport;
  try {
    summary = await importBatch(paths, {
      ...{ store, messages, model: typeof model === 'string' ? model : undefined },
      onFailure: (failure) => failures.push(failure),
    });
  } finally {
    await store.close();
  }
  if (typeof failuresPath === 'string') {
    writeFileAtomic(
      failuresPath,
      failures.map((failure) => `${JSON.stringify(failure)}\n`),
    );
  }
  context.print(summaryText(summary, dir));
  for (const [kind, count] of countKinds(failures)) {
    context.note(`${formatCount(count)} without an answer: ${kind}`);
  }
  context.printJson({ ...summary, dir, byKind: Object.fromEntries(countKinds(failures)) });
}

function summaryText(
  { imported, known, failed, foreign, missing }: BatchImport,
  dir: string,
): string {
  const parts = [
    `${formatCounted(imported, 'answer')} into ${dir}`,
    `${formatCount(known)} were there`,
    `${formatCount(failed)} failed`,
    ...(foreign === 0 ? [] : [`${formatCount(foreign)} are of no request of the batch`]),
    ...(missing === null || missing === 0 ? [] : [`${formatCount(missing)} are missing`]),
  ];
  return parts.join(', ');
}

function countKinds(failures: readonly BatchFailure[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { kind } of failures) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
