/**
 * Places that are named with stars for any characters.
 */
import { ConfigError, nearest } from '@lab/core';
import { holds, isOptional } from '../hooks.js';

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
  const given = patterns.filter((pattern) => pattern !== '');
  if (given.length === 0) {
    throw new ConfigError('transformer/cache: --names is missing.', {
      help: "For example --names 'blocks.*.hook_resid_post'; inspect --hooks lists all.",
    });
  }
  return new Set(
    given.flatMap((pattern) =>
      pattern.includes('*') ? matching(pattern, places) : ownName(pattern, places, exact),
    ),
  );
}

const namesOf = ({ name, aliases = [] }: NamedPlace): readonly string[] => [name, ...aliases];

function matching(pattern: string, places: readonly NamedPlace[]): string[] {
  const source = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  const whole = new RegExp(`^${source}$`);
  const found = places.filter((place) =>
    namesOf(place).some((name) => (isOptional(place.name) ? holds(whole, name) : whole.test(name))),
  );
  if (found.length > 0) return found.map(({ name }) => name);
  const like = nearest(pattern, allBlocks(places));
  const near = like === undefined ? '' : `; near: ${like}`;
  throw new ConfigError(`transformer/cache: no place is called ${pattern}${near}.`, {
    help: 'transformer inspect MODEL --hooks lists all.',
  });
}

/** All names, a star in the place of the block. */
const allBlocks = (places: readonly NamedPlace[]): Set<string> =>
  new Set(places.flatMap(namesOf).map((name) => name.replace(/(?<=\.)\d+(?=\.|$)/, '*')));

function ownName(
  name: string,
  places: readonly NamedPlace[],
  exact: (name: string) => string,
): string {
  try {
    return exact(name);
  } catch (cause) {
    // `hook_z` without its block: the places that end so.
    const ends = [...allBlocks(places)].filter((one) => one.endsWith(`.${name}`));
    if (ends.length === 0) throw cause;
    throw new ConfigError(`transformer/cache: there is no place ${name} without a block.`, {
      ...{ cause, help: `Name one, or all: ${ends.slice(0, 3).join(', ')}.` },
    });
  }
}
