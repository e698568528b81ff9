/** Values of flags, as a command gets them. */
import { ConfigError } from '@lab/core';
import type { CliOption } from '@lab/core/cli';

/** What a user gave, by the names of flags in camel case. */
export type FlagValues = Readonly<Record<string, unknown>>;

/** The text that a flag has; undefined where it has none. */
export function textOf(options: FlagValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** The number that a flag has; undefined where it has none. */
export function numberOf(options: FlagValues, name: string): number | undefined {
  const value = options[name];
  return typeof value === 'number' ? value : undefined;
}

/**
 * The number, from 1 on, that a flag has; undefined where it has none.
 *
 * @param flag - as the user wrote it, e.g. `--max-calls`.
 * @throws {ConfigError} for a smaller number.
 */
export function countOf(options: FlagValues, name: string, flag: string): number | undefined {
  const value = numberOf(options, name);
  if (value === undefined || value >= 1) return value;
  throw new ConfigError(`${flag} is ${value} and must be at least 1.`);
}

/** Flags under one heading of the help. */
export function underTopic(
  topic: string,
  options: readonly Omit<CliOption, 'topic'>[],
): readonly CliOption[] {
  return options.map((option) => ({ ...option, topic }));
}
