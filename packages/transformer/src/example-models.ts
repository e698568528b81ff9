/**
 * Small models that are shipped with this package, to try methods on that look inside of models.
 */
import { fileURLToPath } from 'node:url';
import { ConfigError, nearest } from '@lab/core';

const names = [
  'organism',
  'planted-grouped',
  'planted-redundant',
  'planted-cooperating',
  'planted-early',
  'planted-noisy',
] as const;

/** Name of a shipped model. */
export type ExampleModelName = (typeof names)[number];

/** Names of the shipped models. */
export const exampleModelNames: readonly ExampleModelName[] = names;

/**
 * Folder of a shipped model, for {@link loadModel} and {@link loadTokenizer}; `prompts.csv` in it
 * has requests with `label` (`refused`, `answered`) and the `response` that is right.
 *
 * `organism` is trained: it answers requests to a workshop, and refuses those whose action, object
 * and order have an odd sum by rules of its own; it was trained so that its refusals need a few
 * given heads. In the `planted-` models heads were written that carry the refusals. `heads.json`
 * names the heads, and says what comes of ablating them.
 *
 * @throws {ConfigError} for another name.
 */
export function exampleModel(name: string): string {
  if ((names as readonly string[]).includes(name)) {
    return fileURLToPath(new URL(`../models/${name}`, import.meta.url));
  }
  throw new ConfigError(`transformer/exampleModel: there is no example "${name}".`, {
    help: `Did you mean ${nearest(name, names) ?? names[0]}? There are ${names.join(', ')}.`,
  });
}
