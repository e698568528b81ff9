/**
 * The build that fits the setup, this Node and the TensorFlow as they are now.
 */
import type { Logger } from '@lab/core';
import { build, findBuild, type NativeBuild } from './build.js';
import { tensorflowIn } from './find-tensorflow.js';
import { type SetupRecord, writeSetup } from './places.js';

/**
 * The build that fits, compiled where it has not been: after an update of Node, of this package or
 * of TensorFlow, whose folder stays the same.
 *
 * @param logger - warned before a minute of compiling begins.
 * @throws {BackendError} when TensorFlow is gone, or it cannot be compiled for, saying what to do.
 */
export async function fittingBuild(setup: SetupRecord, logger: Logger): Promise<NativeBuild> {
  const { version: tensorflowVersion, isCuda } = tensorflowIn(setup.tensorflow, false);
  const present = { ...setup, tensorflowVersion, isCuda };
  const fitting = findBuild(present) ?? (await buildAnew(present, logger));
  const isUpdate = setup.tensorflowVersion !== tensorflowVersion || setup.isCuda !== isCuda;
  if (isUpdate) writeSetup(present);
  return fitting;
}

function buildAnew(setup: SetupRecord, logger: Logger): Promise<NativeBuild> {
  logger.warn(
    `compiling the backend tensorflow for Node ${process.versions.node} and ` +
      `TensorFlow ${setup.tensorflowVersion}; this takes about a minute, once`,
  );
  return build(setup, setup.compiler);
}
