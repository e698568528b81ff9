/**
 * What the runs of all methods take alike.
 */
import type { FileRecord } from '@lab/core';
import type { RunDescription } from './run-files.js';
import type { RunRow } from './row-record.js';
import type { RunRowsOptions } from './run-rows.js';

/** What the record of a method's run says beside its settings. */
export interface RunFacts {
  /** What the run is about; default the model. */
  readonly label?: string | undefined;
  readonly command?: readonly string[] | undefined;
  /** The settings as passed, for whoever goes on with the run; no secrets. */
  readonly passed?: Readonly<Record<string, unknown>> | undefined;
  readonly mode?: string | undefined;
  readonly preset?: string | null | undefined;
  /** Name of the server in the record. */
  readonly server?: string | undefined;
  readonly data?: readonly FileRecord[] | undefined;
  readonly backend?: unknown;
}

type RowSettings = Pick<
  RunRowsOptions<RunRow, unknown>,
  | 'allowMixed'
  | 'budget'
  | 'clock'
  | 'concurrency'
  | 'costOf'
  | 'maxErrors'
  | 'onProgress'
  | 'out'
  | 'resume'
  | 'shard'
  | 'signal'
>;

/** What every run of a method takes beside its rows: those of {@link RunRowsOptions}, and facts. */
export interface MethodRunOptions extends RowSettings {
  readonly facts?: RunFacts | undefined;
}

/** Those of a method's options that {@link runRows} takes as they are. */
export function rowSettingsOf(options: MethodRunOptions): RowSettings {
  const { out, resume, allowMixed, concurrency, shard, budget } = options;
  const { maxErrors, costOf, signal, onProgress, clock } = options;
  return {
    ...{ out, resume, allowMixed, concurrency, shard, budget },
    ...{ maxErrors, costOf, signal, onProgress, clock },
  };
}

/** Those of the facts that a run's description has as they are. */
export function describedFacts({
  command,
  passed,
  data,
  backend,
}: RunFacts): Pick<RunDescription, 'backend' | 'command' | 'data' | 'passed'> {
  return { command, passed, data, backend };
}
