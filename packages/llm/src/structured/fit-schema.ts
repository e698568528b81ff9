import type { z } from 'zod';

/** A value that fits a schema, or why it does not. */
export type Fit<T> =
  | { readonly fits: true; readonly value: T; readonly isChanged: boolean }
  | { readonly fits: false; readonly problems: readonly string[] };

/** What is used of an issue of zod. */
interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly expected?: string | undefined;
  readonly values?: readonly unknown[] | undefined;
  readonly errors?: readonly (readonly Issue[])[] | undefined;
}

/** Corrections uncover further issues inside what was corrected; more rounds do not help. */
const mostRounds = 8;
/** Problems that are told, to a model or in an error. */
const mostProblems = 8;
const numeric = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * The value as the schema gives it. What does not fit at once is corrected where the schema says
 * what it expects: numbers and booleans in quotes, values of an enum in another case or with
 * blanks, and null for a key that may be absent (strict schemas have no absent keys).
 *
 * @param json - plain JSON; not changed.
 */
export async function fitSchema<T>(schema: z.ZodType<T>, json: unknown): Promise<Fit<T>> {
  let value = json;
  let isChanged = false;
  for (let round = 0; ; round += 1) {
    const parsed = await tryParse(schema, value);
    if (typeof parsed === 'string') return { fits: false, problems: [parsed] };
    if (parsed.success) return { fits: true, value: parsed.data, isChanged };
    const issues = parsed.error.issues as unknown as readonly Issue[];
    const corrected = round < mostRounds ? correct(value, issues) : undefined;
    if (!corrected) return { fits: false, problems: issues.slice(0, mostProblems).map(describe) };
    value = corrected.value;
    isChanged ||= corrected.isMoreThanNull;
  }
}

/** Transforms and refinements may throw on what they were not made for. */
async function tryParse<T>(schema: z.ZodType<T>, value: unknown) {
  try {
    return await schema.safeParseAsync(value);
  } catch (error) {
    return `the schema threw: ${String(error)}`;
  }
}

/** Characters of a problem that are told; enums may have hundreds of members. */
const longestProblem = 300;

/** One line on an issue: where and what. */
function describe({ path, message }: Issue): string {
  const line = path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`;
  return line.length <= longestProblem ? line : `${line.slice(0, longestProblem)}...`;
}

interface Correction {
  readonly path: readonly PropertyKey[];
  /** The new value; undefined takes the key away. */
  readonly value: unknown;
}

function correct(
  json: unknown,
  issues: readonly Issue[],
): { value: unknown; isMoreThanNull: boolean } | undefined {
  const corrections = issues.flatMap((issue) => correctionsOf(json, issue));
  if (corrections.length === 0) return undefined;
  let value: unknown = structuredClone(json);
  for (const { path, value: to } of corrections) value = replaceAt(value, path, to);
  return { value, isMoreThanNull: corrections.some(({ value: to }) => to !== undefined) };
}

function correctionsOf(json: unknown, issue: Issue, at: readonly PropertyKey[] = []): Correction[] {
  const path = [...at, ...issue.path];
  if (issue.errors) return branchCorrections(json, issue.errors, path);
  const value = valueAt(json, path);
  if (value === null) {
    const parent = valueAt(json, path.slice(0, -1));
    const isKey = path.length > 0 && !Array.isArray(parent);
    return isKey ? [{ path, value: undefined }] : [];
  }
  if (typeof value !== 'string') return [];
  const to = issue.values ? sameValue(value, issue.values) : asExpected(value, issue.expected);
  return to === undefined ? [] : [{ path, value: to }];
}

/** Those of the first branch of a union of which all issues can be corrected. */
function branchCorrections(
  json: unknown,
  branches: readonly (readonly Issue[])[],
  path: readonly PropertyKey[],
): Correction[] {
  for (const issues of branches) {
    const corrections = issues.map((issue) => correctionsOf(json, issue, path));
    if (corrections.length > 0 && corrections.every((list) => list.length > 0)) {
      return corrections.flat();
    }
  }
  return [];
}

/** The member of an enum that a text means: equal after folding case and trimming, and only one. */
function sameValue(text: string, values: readonly unknown[]): unknown {
  const same = values.filter((value) => fold(String(value)) === fold(text));
  return same.length === 1 ? same[0] : undefined;
}

function fold(text: string): string {
  return text.normalize('NFKC').trim().toLowerCase();
}

function asExpected(text: string, expected: string | undefined): unknown {
  const trimmed = text.trim();
  if (expected === 'number' || expected === 'int') {
    return numeric.test(trimmed) ? Number(trimmed) : undefined;
  }
  if (expected !== 'boolean') return undefined;
  const folded = fold(text);
  if (folded === 'true') return true;
  return folded === 'false' ? false : undefined;
}

function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  let value = json;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** Only keys that are there already are written, so that no path reaches a prototype. */
function replaceAt(json: unknown, path: readonly PropertyKey[], to: unknown): unknown {
  if (path.length === 0) return to;
  const parent = valueAt(json, path.slice(0, -1));
  const key = path.at(-1)!;
  if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, key)) return json;
  if (to === undefined) delete (parent as Record<PropertyKey, unknown>)[key];
  else {
    Object.defineProperty(parent, key, {
      value: to,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return json;
}
