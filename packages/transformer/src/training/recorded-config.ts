/**
 * The config of a run that goes on.
 */
import { ConfigError, DataError, type ResolvedConfig, type Run } from '@lab/core';
import { version } from '../version.js';
import { type TrainingConfig, trainingConfig } from './training-config.js';

/** May differ from the run that is resumed. */
const FREE = 'training.checkpointSeconds';

/**
 * The recorded config, with the time between checkpoints as it is asked for now.
 *
 * @param asked - the config of this call.
 * @throws {DataError} for a run of another kind or version.
 * @throws {ConfigError} for a setting that is asked for now and was another one then.
 */
export function recordedConfig(
  run: Run,
  asked: ResolvedConfig<TrainingConfig>,
): ResolvedConfig<TrainingConfig> {
  const { resolved, origins } = run.record.config;
  const file = run.path('run.json');
  if (run.record.method !== 'transformer-train') {
    throw new DataError(`${run.dir}: this is a run of ${run.record.method}.`, {
      ...{ file, help: 'Give the folder of a run that "transformer train" made.' },
    });
  }
  const parsed = trainingConfig.schema.safeParse(resolved);
  if (!parsed.success) {
    const made = run.record.packages['@lab/transformer'] ?? 'unknown';
    const [issue] = parsed.error.issues;
    throw new DataError(
      `${run.dir}: was made by version ${made}, this is ${version}; its config does not fit: ` +
        `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'another form'}.`,
      { file, help: 'Use the version that made the run, or start a new run.' },
    );
  }
  const isByHand = (path: string) => /^(--|file )/.test(asked.origins[path] ?? '');
  for (const path of Object.keys(asked.origins)) {
    if (path === FREE || !isByHand(path)) continue;
    const [was, wanted] = [parsed.data, asked.config].map((one) => JSON.stringify(at(one, path)));
    if (was === wanted) continue;
    throw new ConfigError(
      `transformer train: the run was made with ${path} ${was}, ${asked.origins[path]} says ` +
        `${wanted}.`,
      { help: 'Leave the setting out to go on with the run, or start a new run without --resume.' },
    );
  }
  const { checkpointSeconds } = (isByHand(FREE) ? asked.config : parsed.data).training;
  const training = { ...parsed.data.training, checkpointSeconds };
  return { ...asked, origins, config: { ...parsed.data, training } };
}

const at = (config: TrainingConfig, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | null)?.[key], config);
