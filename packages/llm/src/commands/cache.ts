/** `llm cache`: what the folder of answers holds, packing it, and its answers as one file. */
import { join } from 'node:path';
import { ConfigError, formatBytes, formatCount, formatCounted } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { exportAnswers, listAnswers } from '../cache/list-answers.js';
import { pruneAnswers } from '../cache/prune.js';

/** The verb `cache`. */
export const cacheCommand: CliCommand = {
  name: 'cache',
  summary: 'List, pack or export the answers that are kept: cache ls, cache prune, cache export.',
  arguments: [{ name: 'action', summary: 'ls, prune or export' }],
  options: [
    { flags: '--cache-dir <dir>', summary: 'folder of answers', unit: 'default LAB_CACHE/llm' },
    {
      flags: '--older-than <days>',
      summary: 'prune: drops files that nobody wrote to since',
      kind: 'number',
      unit: 'days',
    },
    { flags: '--model <name>', summary: 'prune: keeps only answers of this one', kind: 'repeated' },
    { flags: '--out <file>', summary: 'export: the file' },
  ],
  example: 'llm cache prune --older-than 90',
  run,
};

async function run(context: CliContext, { arguments: words, options }: CliInput): Promise<void> {
  const given = options['cacheDir'];
  const dir =
    typeof given === 'string' ? given : join(process.env['LAB_CACHE'] ?? '.lab-cache', 'llm');
  switch (words[0]) {
    case 'ls':
      return list(context, dir);
    case 'prune':
      return prune(context, dir, options);
    case 'export':
      return exportAll(context, dir, options['out']);
    default:
      throw new ConfigError(`unknown action ${JSON.stringify(words[0])} of llm cache.`, {
        help: 'ls, prune or export.',
      });
  }
}

async function list(context: CliContext, dir: string): Promise<void> {
  const listing = await listAnswers(dir);
  const { answers, segments, bytes, models } = listing;
  const columns = ['model', 'answers', 'promptTokens', 'completionTokens'];
  if (models.length > 0) {
    context.print(
      table(
        models.map((model) => ({ ...model })),
        columns,
      ),
    );
  }
  const size = `${formatBytes(bytes)} in ${formatCounted(segments, 'file')}`;
  context.print(`${formatCounted(answers, 'answer')}, ${size}, ${dir}`);
  context.printJson(listing);
}

function prune(context: CliContext, dir: string, options: CliInput['options']): void {
  const { olderThan, model } = options;
  const summary = pruneAnswers(dir, {
    olderThanDays: typeof olderThan === 'number' ? olderThan : undefined,
    models: Array.isArray(model) ? model.map(String) : undefined,
  });
  const { kept, dropped, expiredSegments, skippedSegments, bytesBefore, bytesAfter } = summary;
  context.print(
    `${formatCounted(kept, 'answer')} packed, ${formatCount(dropped)} dropped, ` +
      `${formatCounted(expiredSegments, 'old file')} removed; ` +
      `${formatBytes(bytesBefore)} before, ${formatBytes(bytesAfter)} now.`,
  );
  if (skippedSegments > 0) {
    context.note(`${formatCount(skippedSegments)} files may still be written to and stay.`);
  }
  context.printJson({ dir, ...summary });
}

function exportAll(context: CliContext, dir: string, out: unknown): void {
  if (typeof out !== 'string') {
    throw new ConfigError('--out FILE is missing.', {
      help: 'e.g. llm cache export --out answers.jsonl',
    });
  }
  const answers = exportAnswers(dir, out);
  context.print(`${formatCounted(answers, 'answer')} in ${out}`);
  context.printJson({ dir, out, answers });
}
