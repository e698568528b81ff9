/**
 * A training in its run folder: what `run.json` says of it, and what is read back.
 */
import { resolve } from 'node:path';
import { createRun, DataError, LabError, type ResolvedConfig, type Run } from '@lab/core';
import type { OwnGraphFiles } from '@lab/graph';
import type { AlignmentConfig } from './config-fields.js';
import { type AlignmentTask, AUTOMATIC_SEEDS, type DataSource } from './data.js';
import type { AlignmentMethod } from './method.js';
import type { RunTarget } from './training-options.js';
import { version } from './version.js';

/** A new run folder, where one is asked for. */
export function newRun<C extends AlignmentConfig>(
  method: AlignmentMethod<C>,
  target: RunTarget | undefined,
  input: {
    readonly resolved: ResolvedConfig<C>;
    readonly source: DataSource | AlignmentTask;
    readonly task: AlignmentTask;
  },
): Run | null {
  if (target === undefined || 'resume' in target) return null;
  const { resolved, source, task } = input;
  const { config, mode, preset, origins } = resolved;
  return createRun({
    ...target,
    method: method.name,
    seed: config.seed,
    config,
    passed: { source: 'split' in source ? null : sourceRecord(source) },
    origins,
    mode,
    preset,
    data: task.data.files,
    packages: { [method.packageName]: method.version, '@lab/alignment': version },
  });
}

/**
 * A data source as `run.json` keeps it, with whole paths, so that `--resume` and `align --run` find
 * the data again from any folder.
 */
function sourceRecord({ dir, own, seedsFile, images }: DataSource): DataSource {
  const whole = (path: string) => resolve(path);
  const files = Object.entries(own ?? {}).filter(
    ([name, path]) => typeof path === 'string' && name !== 'duplicateTriples',
  );
  return {
    ...(dir === undefined ? {} : { dir: whole(dir) }),
    ...(own === undefined
      ? {}
      : {
          own: Object.fromEntries(
            files.map(([name, path]) => [name, whole(String(path))]),
          ) as unknown as OwnGraphFiles,
        }),
    ...(seedsFile === undefined
      ? {}
      : { seedsFile: seedsFile === AUTOMATIC_SEEDS ? seedsFile : whole(seedsFile) }),
    ...(images === undefined ? {} : { images: images === false ? images : whole(images) }),
  };
}

/**
 * Config and data source of a run, for `--resume` and `align --run`.
 *
 * @throws {DataError} when the run is not one of files, or its config is of another version.
 */
export function recordedTraining<C extends AlignmentConfig>(
  method: AlignmentMethod<C>,
  run: Run,
): { config: C; source: DataSource } {
  const { resolved, passed } = run.record.config as {
    resolved: unknown;
    passed?: { source?: DataSource | null };
  };
  const source = passed?.source ?? null;
  const { name } = method;
  const made = run.record.method;
  if (made !== name) {
    throw new DataError(`${run.dir}: this is a run of ${made}, not of ${name}.`, {
      file: run.path('run.json'),
      help: `use ${made} with it, or give the folder of a run that "${name} train" made`,
    });
  }
  if (source === null) {
    throw new DataError(`${run.dir}: this is not a run of ${name} train on files.`, {
      file: run.path('run.json'),
      help: `give the folder of a run that "${name} train" made`,
    });
  }
  const parsed = method.config.schema.safeParse(resolved);
  if (parsed.success) return { config: parsed.data, source };
  const madeBy = run.record.packages[method.packageName] ?? 'unknown';
  const [issue] = parsed.error.issues;
  throw new DataError(
    `${run.dir}: the run was made by version ${madeBy}, this is ${method.version}; its config ` +
      `does not fit: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'another form'}.`,
    { file: run.path('run.json'), help: 'use the version that made the run, or start a new run' },
  );
}

/** Notes the failure in `run.json`; where that fails as well (full disk), the old one stays. */
export function recordFailure(run: Run | null, error: unknown): void {
  try {
    const status = statusOf(error);
    run?.finish({ status, error });
    run?.log(`${status}: ${error instanceof Error ? error.message : String(error)}`);
  } catch (failure) {
    if (!LabError.is(failure)) throw failure; // else the first error says what happened
  }
}

/** How a run that ended with this error is marked. */
export function statusOf(error: unknown): 'interrupted' | 'error' {
  return LabError.is(error) && error.code === 'LAB_INTERRUPTED' ? 'interrupted' : 'error';
}
