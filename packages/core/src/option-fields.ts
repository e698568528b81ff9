import { z } from 'zod';

/** A type for every option of a call; `satisfies` ties a schema of `checkOptions` to them. */
export type OptionFields<Options> = Readonly<Record<keyof Options, z.ZodType>>;

/** Whether a value is an object, no list, that has all these fields. */
export const hasFields = (value: unknown, ...names: readonly string[]): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  names.every((name) => name in value);

/**
 * Objects that are known by their fields, which are not looked into.
 *
 * @param allowed - what messages say of it, e.g. `must be a method`.
 */
export const objectWith = (names: readonly string[], allowed: string) =>
  z.custom((value) => hasFields(value, ...names), allowed);

/** What many calls take, as types for their schemas. */
export const optionFields = {
  path: z.string().min(1),
  count: z.int().min(0),
  /** 0..1. */
  share: z.number().min(0).max(1),
  callback: z.custom((value) => typeof value === 'function', 'must be a function').optional(),
  signal: objectWith(['aborted'], 'must be an AbortSignal').optional(),
  logger: objectWith(['info', 'warn'], 'must be a logger with info, warn and debug').optional(),
} as const;
