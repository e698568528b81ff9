import { ConfigError } from '@lab/core';

/** The kinds of evidence about an entity that have an encoder each, in the order of columns. */
export const modalities = ['image', 'relation', 'attribute'] as const;

/** One kind of evidence about an entity. */
export type Modality = (typeof modalities)[number];

/** One value for each modality that the data has; the others are left out. */
export type PerModality<T> = Partial<Record<Modality, T>>;

/**
 * The modalities that have a value, in the order of {@link modalities}: column m of scores, weights
 * and masks belongs to the m-th of them.
 *
 * @throws {ConfigError} when there is none.
 */
export function presentModalities(values: PerModality<unknown>): Modality[] {
  const present = modalities.filter((modality) => values[modality] !== undefined);
  if (present.length > 0) return present;
  throw new ConfigError('loginmea/modalities: there is no modality at all.', {
    help: `Give at least one of ${modalities.join(', ')}.`,
  });
}
