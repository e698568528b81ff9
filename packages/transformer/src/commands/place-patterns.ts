/**
 * Places that are named with stars for any characters.
 */
import { ConfigError } from '@lab/core';

/** A place by its names. */
export interface NamedPlace {
  readonly name: string;
  readonly aliases?: readonly string[] | undefined;
}

/**
 * Own names of the places that patterns mean.
 *
 * @param exact - the own name of a place by a name without stars; throws where there is none.
 * @throws {ConfigError} for a pattern that no place has, and where there are no patterns.
 */
export function placesLike(
  patterns: readonly string[],
  places: readonly NamedPlace[],
  exact: (name: string) => string,
): Set<string> {
  const found = new Set<string>();
  for (const pattern of patterns) {
    if (!pattern.includes('*')) {
      found.add(exact(pattern));
      continue;
    }
    const source = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
    const means = (name: string) => new RegExp(`^${source}$`).test(name);
    const own = places.filter(({ name, aliases }) => means(name) || aliases?.some(means) === true);
    if (own.length === 0) {
      throw new ConfigError(`transformer/cache: no place is called ${pattern}.`, {
        help: 'transformer inspect MODEL --hooks lists all.',
      });
    }
    for (const { name } of own) found.add(name);
  }
  if (found.size > 0) return found;
  throw new ConfigError('transformer/cache: --names is missing.', {
    help: "For example --names 'blocks.*.hook_resid_post'; inspect --hooks lists all.",
  });
}
