/**
 * The pairs that a run judged, read again from where they were.
 */
import { ConfigError, readRunRecord } from '@lab/core';
import { sampleSource, slicedSamples } from '../commands/data-options.js';
import { readSamples } from '../readers/read-samples.js';
import type { Sample } from '../sample.js';

/**
 * The pairs of a run, by the flags that it was started with.
 *
 * @param data - the pairs, where they are not where they were.
 * @throws {ConfigError} for a run that was started by a program, which knows its pairs.
 * @throws {DataError} when the data are not there.
 */
export async function samplesOfRun(
  dir: string,
  data: string | undefined,
): Promise<readonly Sample[]> {
  const flags = {
    ...(readRunRecord(dir).config.passed as Readonly<Record<string, unknown>> | undefined),
    ...(data === undefined ? {} : { data }),
  };
  if (flags.data === undefined) {
    throw new ConfigError(`${dir}: the run does not say where its pairs are.`, {
      help: 'name them with --data.',
    });
  }
  return slicedSamples(await readSamples(sampleSource(flags)), flags);
}
