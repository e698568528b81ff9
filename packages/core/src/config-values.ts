import { ConfigError } from './errors.js';

/** A value that is followed into: a plain object, not an array or typed array. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Nested objects from dotted paths. */
export function unflatten(values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, value] of values) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let place = root;
    for (const key of keys) {
      const next = place[key];
      if (isPlainObject(next)) place = next;
      else {
        const made: Record<string, unknown> = {};
        place[key] = made;
        place = made;
      }
    }
    place[last] = value;
  }
  return root;
}

const numberPattern = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/**
 * The value that a text on the command line means: number (`1e-3`), `true`, `false`, `null`,
 * list (`[1,5,10]` or `[a, b]`), JSON, text in quotes, else the text itself.
 */
export function parseSetValue(text: string): unknown {
  const trimmed = text.trim();
  if (numberPattern.test(trimmed)) return Number(trimmed);
  if (trimmed === 'true') return true;
  if (trimmed === 'false') return false;
  if (trimmed === 'null') return null;
  const isJson = /^[[{"]/.test(trimmed);
  const parsed = isJson ? tryJson(trimmed) : undefined;
  if (parsed !== undefined) return parsed;
  if (trimmed.startsWith('[') && trimmed.endsWith(']')) {
    const inside = trimmed.slice(1, -1).trim();
    return inside === '' ? [] : inside.split(',').map(parseSetValue);
  }
  return text;
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Path and text of a `--set path=value`.
 *
 * @throws {ConfigError} when there is no `=` or no path.
 */
export function splitSet(entry: string): { path: string; text: string } {
  const at = entry.indexOf('=');
  if (at <= 0) {
    throw new ConfigError(`--set ${JSON.stringify(entry)} is not of the form path=value.`, {
      help: 'write --set PATH=VALUE, for example --set training.epochs=50.',
    });
  }
  return { path: entry.slice(0, at).trim(), text: entry.slice(at + 1) };
}

/** A value as shown in messages and tables: JSON, shortened to 60 characters. */
export function showValue(value: unknown): string {
  const text =
    typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? 'unset');
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
