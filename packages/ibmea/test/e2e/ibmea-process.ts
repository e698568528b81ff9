import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '@lab/core/testing';
import { writeAlignmentFolder } from '@lab/graph';
import { smallData } from '../../src/__fixtures__/small-task.js';

/** The package's folder. */
export const packageFolder = fileURLToPath(new URL('../../', import.meta.url));

/** `ibmea` as a process, and the arguments of Node that run it. */
export { programArguments, runProgram as ibmea } from '@lab/core/testing';

/** Flags of a model that trains an epoch in milliseconds. */
export const small = [
  'model.graphSize=16',
  'model.featureSize=8',
  'training.warmup=3',
  'evaluation.baseline=false',
].flatMap((entry) => ['--set', entry]);

/** The path of a new folder with a generated pair of graphs. */
export async function writePair(entities = 80): Promise<string> {
  const folder = join(temporaryFolder(), 'pair');
  await writeAlignmentFolder(folder, smallData(entities));
  return folder;
}

/** The text of a run's metrics. */
export const metricsOf = (run: string) => readFileSync(join(run, 'metrics.jsonl'), 'utf8');

/** The only run in a folder of runs, undefined when there is none yet. */
export function onlyRun(parent: string): string | undefined {
  const [name] = readdirSync(parent);
  return name === undefined ? undefined : join(parent, name);
}
