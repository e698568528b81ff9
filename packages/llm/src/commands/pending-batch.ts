/** `--export-batch`: what a run would ask next, as files for a provider's batch. */
import { ConfigError, formatCount, formatCounted } from '@lab/core';
import type { CliContext, CliOption } from '@lab/core/cli';
import { exportBatch } from '../batch.js';
import type { LlmClient } from '../llm-client.js';
import { pendingRequests } from '../pending-requests.js';
import { type FlagValues, textOf, underTopic } from './flag-values.js';
import type { ModelSession } from './model-session.js';

/** The flag that writes batches in place of asking. */
export const batchFlags: readonly CliOption[] = underTopic('output', [
  {
    flags: '--export-batch <dir>',
    summary: 'write what would be asked next as files for a provider batch, then stop',
  },
]);

/** The work whose next requests are written. */
export interface PendingWork<Row> {
  readonly rows: Iterable<Row> | AsyncIterable<Row>;
  /** What is done for a row, as a run does it. */
  readonly step: (row: Row, client: LlmClient) => Promise<unknown>;
  readonly session: Pick<ModelSession, 'cache' | 'client' | 'server'>;
  /** What rows are, in the singular, e.g. `pair`. */
  readonly rowName: string;
}

/**
 * Writes what rows would ask next into the folder that `--export-batch` names, and says how to go
 * on.
 *
 * @throws {ConfigError} where no answers are kept that a batch could be imported into, and where
 *   the folder holds a batch already.
 */
export async function writePendingBatch<Row>(
  context: CliContext,
  options: FlagValues,
  { rows, step, session, rowName }: PendingWork<Row>,
): Promise<void> {
  const { cache, client, server } = session;
  const mode = textOf(options, 'cache') ?? 'write';
  if (options['replay'] !== undefined || !['read', 'write'].includes(mode)) {
    throw new ConfigError('--export-batch needs the cache, which takes the answers of a batch.', {
      help: 'leave out --replay, and --cache off or refresh.',
    });
  }
  let [waiting, done] = [0, 0];
  const requests = pendingRequests(rows, step, {
    ...{ client, cache, signal: context.signal },
    onRow: (isWaiting) => {
      if (isWaiting) waiting += 1;
      else done += 1;
      context.progress.update(`batch  ${formatCounted(waiting + done, rowName)}`);
    },
  });
  const out = textOf(options, 'exportBatch') ?? '';
  const made = await exportBatch(requests, { server, model: client.model, out, store: cache });
  context.progress.done();
  for (const file of made.files) context.print(`${file}\n`);
  context.note(
    `${formatCounted(made.written, 'request')} of ${formatCounted(waiting, rowName)}; ` +
      `${formatCount(done)} need no more answers.`,
  );
  context.note(
    made.written === 0
      ? 'next: the same command without --export-batch, which asks nothing'
      : 'next: have them answered, "llm import-batch ANSWERS", then this command with a new ' +
          'folder for the step that follows',
  );
  const rowsOf = { waiting, done };
  context.printJson({ run: null, status: 'success', metrics: null, ...made, rows: rowsOf });
}
