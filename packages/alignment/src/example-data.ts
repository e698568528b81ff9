/**
 * Pairs of graphs that are shipped with this package.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, nearest } from '@lab/core';

/** What a data folder is called when an example is meant, e.g. `example:en-fr-3k`. */
const PREFIX = 'example:';

const names = ['en-fr-3k'] as const;

/** Folder and seed file of an example. */
export interface ExampleSource {
  readonly dir: string;
  readonly seedsFile: string;
}

/**
 * Where a shipped pair of graphs is: `en-fr-3k`, 3,000 + 3,000 entities of the English and French
 * DBpedia with 3,000 links, of which 900 are seeds (facts of DBpedia, CC BY-SA 3.0).
 *
 * @throws {ConfigError} for another name.
 */
export function exampleSource(name: string): ExampleSource {
  if (!(names as readonly string[]).includes(name)) {
    const near = nearest(name, names) ?? names[0];
    throw new ConfigError(`alignment: there is no example "${name}".`, {
      help: `did you mean ${PREFIX}${near}?`,
    });
  }
  const dir = fileURLToPath(new URL(`../data/${name}`, import.meta.url));
  return { dir, seedsFile: join(dir, 'seeds.tsv') };
}

/** The example that `--data` names, or null where it is a folder. */
export function namedExample(data: string): ExampleSource | null {
  return data.startsWith(PREFIX) ? exampleSource(data.slice(PREFIX.length)) : null;
}
