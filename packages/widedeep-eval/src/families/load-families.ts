/**
 * Families from a file, beside those that come with the package.
 */
import { ConfigError, nearest } from '@lab/core';
import { readConfigFile } from '@lab/core/cli';
import { z } from 'zod';
import { builtInFamilies } from './built-in.js';
import { createFamily, type Family } from './family.js';

/** Families by name. */
export type Families = ReadonlyMap<string, Family>;

const fileSchema = z.record(
  z.string(),
  z.strictObject({
    system: z.string(),
    roles: z.string(),
    limitedRoles: z.string().optional(),
    first: z.string(),
    deeper: z.string(),
    closingMark: z.enum(['&', '@']).optional(),
  }),
);

/**
 * The families of the package, and over them those of a JSON or YAML file: by name the texts
 * `system`, `roles`, `limitedRoles`, `first` and `deeper`.
 *
 * @throws {ConfigError} for a file that cannot be read, a field that is none, a prompt that lacks a
 *   slot.
 */
export function loadFamilies(file: string | undefined): Families {
  if (file === undefined) return builtInFamilies;
  const parsed = fileSchema.safeParse(readConfigFile(file));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigError(
      `${file}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'holds no families'}.`,
      { help: 'give by name: system, roles, limitedRoles, first, deeper, closingMark.' },
    );
  }
  const own = Object.entries(parsed.data).map(([name, texts]): [string, Family] => [
    name,
    createFamily(name, { ...texts, limitedRoles: texts.limitedRoles ?? texts.roles }),
  ]);
  return new Map([...builtInFamilies, ...own]);
}

/**
 * The family with a name.
 *
 * @throws {ConfigError} when there is none, with the nearest one.
 */
export function familyOf(families: Families, name: string): Family {
  const family = families.get(name);
  if (family !== undefined) return family;
  const names = [...families.keys()];
  const close = nearest(name, names);
  throw new ConfigError(`widedeep-eval: no family is called ${JSON.stringify(name)}.`, {
    help: close === undefined ? `families are ${names.join(', ')}.` : `did you mean ${close}?`,
  });
}
