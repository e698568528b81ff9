/** The command that trains on the data of a run again. */
import type { RestoredRun } from '../restore.js';

/** `train` with the flags that name the data of a run, without settings. */
export function trainAgainText(
  name: string,
  { source, state }: Pick<RestoredRun, 'source' | 'state'>,
): string {
  const { dir, own } = source;
  if (own === undefined) return `${name} train --data ${dir}`;
  // Where all links are seeds none is left to test on, and seeds take their place.
  const { links, ...files } = own;
  const isTested = links !== undefined && state.task.split.test.length > 0;
  const flags = Object.entries({ ...files, ...(isTested ? { links } : {}) })
    .filter(([, path]) => typeof path === 'string')
    .map(
      ([key, path]) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${path}`,
    );
  return `${name} train ${flags.join(' ')}`;
}
