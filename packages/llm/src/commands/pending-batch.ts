/** `--export-batch`: what a run would ask next, as files for a provider's batch. */
import { join } from 'node:path';
import { ConfigError, formatCount, formatCounted, makeFolder } from '@lab/core';
import type { CliContext, CliOption } from '@lab/core/cli';
import { assertNoBatch, type BatchExport, BatchWriter } from '../batch.js';
import type { LlmClient } from '../llm-client.js';
import { type PendingStep, pendingRequests } from '../pending-requests.js';
import { type FlagValues, textOf, underTopic } from './flag-values.js';
import type { ModelSession } from './model-session.js';

/** The flag that writes batches in place of asking. */
export const batchFlags: readonly CliOption[] = underTopic('output', [
  {
    flags: '--export-batch <dir>',
    summary:
      'write what would be asked next as files for a provider batch, of several models each in a ' +
      'folder of its own, then stop',
  },
]);

/** The work whose next requests are written. */
export interface PendingWork<Row> {
  readonly rows: Iterable<Row> | AsyncIterable<Row>;
  readonly step: PendingStep<Row>;
  readonly session: Pick<ModelSession, 'cache' | 'client' | 'clients'>;
  /** What rows are, in the singular, e.g. `pair`. */
  readonly rowName: string;
}

/**
 * Writes what rows would ask next into the folder that `--export-batch` names, and says how to go
 * on. A provider takes the requests of one model a file: those of several models go into folders
 * by their names.
 *
 * @throws {ConfigError} where no answers are kept that a batch could be imported into, and where
 *   the folder holds a batch already.
 */
export async function writePendingBatch<Row>(
  context: CliContext,
  options: FlagValues,
  { rows, step, session, rowName }: PendingWork<Row>,
): Promise<void> {
  const { cache, client, clients } = session;
  const mode = textOf(options, 'cache') ?? 'write';
  if (options['replay'] !== undefined || !['read', 'write'].includes(mode)) {
    throw new ConfigError('--export-batch needs the cache, which takes the answers of a batch.', {
      help: 'leave out --replay, and --cache off or refresh.',
    });
  }
  let [waiting, done] = [0, 0];
  const requests = pendingRequests(rows, step, {
    ...{ client, clients, cache, signal: context.signal },
    onRow: (isWaiting) => {
      if (isWaiting) waiting += 1;
      else done += 1;
      context.progress.update(`batch  ${formatCounted(waiting + done, rowName)}`);
    },
  });
  const batches = openBatches(textOf(options, 'exportBatch') ?? '', session);
  for await (const { request, client: asked } of requests) batches.of(asked).add(request);
  const made = batches.models.map(({ name, writer }) => ({ model: name, ...writer.finish() }));
  context.progress.done();
  tell(context, made, { waiting, done, rowName });
}

/** The batch of one model. */
interface ModelBatch {
  /** As the flags name it. */
  readonly name: string;
  readonly client: LlmClient;
  readonly writer: BatchWriter;
}

/** Each model's batch: in the folder itself where there is one model, else in one of its own. */
function openBatches(out: string, session: PendingWork<unknown>['session']) {
  const { cache: store, client, clients } = session;
  const all: (readonly [string, LlmClient])[] = [
    [client.model, client],
    ...Object.entries(clients),
  ];
  const distinct = all.filter(
    ([, one], at) => all.findIndex(([, other]) => areAlike(one, other)) === at,
  );
  makeFolder(out);
  assertNoBatch(out);
  const models = distinct.map(([name, one], at): ModelBatch => {
    const folder = distinct.length === 1 ? out : join(out, folderName(name, at));
    return { name, client: one, writer: new BatchWriter({ out: folder, store }, one) };
  });
  const writers = new Map(
    all.map(([, one]) => [one, models.find((own) => areAlike(own.client, one))!.writer] as const),
  );
  return { models, of: (one: LlmClient): BatchWriter => writers.get(one)! };
}

const nothing = { messages: [] };

/** Whether the answers of two clients are the same: those of one model at one server. */
const areAlike = (one: LlmClient, other: LlmClient): boolean =>
  one.hashOf(nothing) === other.hashOf(nothing);

/** The number keeps names apart that differ in what a folder's name cannot hold. */
const folderName = (name: string, at: number): string =>
  `${at + 1}-${name.replace(/[^\w.-]+/gu, '-')}`;

/** What was written for a model. */
interface MadeBatch extends BatchExport {
  readonly model: string;
}

function tell(
  context: CliContext,
  models: readonly MadeBatch[],
  { waiting, done, rowName }: Readonly<Record<'done' | 'waiting', number>> & { rowName: string },
): void {
  const sum = (of: (made: MadeBatch) => number) =>
    models.reduce((total, made) => total + of(made), 0);
  const written = sum((made) => made.written);
  for (const { files } of models) for (const file of files) context.print(`${file}\n`);
  context.note(
    `${formatCounted(written, 'request')} of ${formatCounted(waiting, rowName)}; ` +
      `${formatCount(done)} need no more answers.`,
  );
  if (models.length > 1) {
    for (const { model, written: own } of models) {
      context.note(`  ${model}: ${formatCounted(own, 'request')}`);
    }
  }
  context.note(
    written === 0
      ? 'next: the same command without --export-batch, which asks nothing'
      : `next: have them answered${models.length > 1 ? ', each folder by its model' : ''}, ` +
          '"llm import-batch ANSWERS", then this command with a new folder for the step that ' +
          'follows',
  );
  const files = models.flatMap((made) => made.files);
  const [known, doubled] = [sum((made) => made.known), sum((made) => made.doubled)];
  const facts = { files, written, known, doubled, models, rows: { waiting, done } };
  context.printJson({ run: null, status: 'success', metrics: null, ...facts });
}
