import type { z } from 'zod';
import { showValue } from './config-values.js';
import { ConfigError } from './errors.js';
import { nearest } from './nearest.js';

/** The error for a name that does not exist, with the nearest right one. */
export function unknownName(
  kind: string,
  name: string,
  { candidates, where }: { candidates: readonly string[]; where?: string },
): ConfigError {
  const prefix = where === undefined ? '' : `${where}: `;
  const close = nearest(name, candidates);
  const list = candidates.length > 0 ? candidates.join(', ') : 'none';
  const shown = list.length > 300 ? `${list.slice(0, 297)}...` : list;
  return new ConfigError(`${prefix}unknown ${kind} ${JSON.stringify(name)}.`, {
    help: close === undefined ? `${kind}s are: ${shown}.` : `did you mean ${close}?`,
    details: { name, candidates, ...(close === undefined ? {} : { nearest: close }) },
  });
}

/** The nearest option of a config: by whole path, else by its last part. */
export function nearestOption(path: string, options: readonly string[]): string | undefined {
  const key = lastPart(path);
  const sameKey = options.find((option) => lastPart(option) === key);
  if (sameKey !== undefined) return sameKey;
  const whole = nearest(path, options);
  if (whole !== undefined) return whole;
  const close = nearest(key, options.map(lastPart));
  return close === undefined ? undefined : options.find((option) => lastPart(option) === close);
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** What zod found wrong, with the values and origins of the config. */
export interface InvalidConfig {
  readonly name: string;
  readonly issues: readonly z.core.$ZodIssue[];
  readonly values: ReadonlyMap<string, unknown>;
  readonly origins: Readonly<Record<string, string>>;
}

/** The error for values that the schema refuses: every path, value, origin and what is allowed. */
export function invalidValues({ name, issues, values, origins }: InvalidConfig): ConfigError {
  const lines = issues.map((issue) => describeIssue(issue, values, origins));
  const first = lines[0] ?? 'the config is not valid';
  const others = lines.length > 1 ? ` And ${lines.slice(1).join('; and ')}.` : '';
  return new ConfigError(`${name}: ${first}.${others}`, {
    help: 'the config command with --explain shows every value and where it comes from.',
    details: { problems: lines },
  });
}

function describeIssue(
  issue: z.core.$ZodIssue,
  values: ReadonlyMap<string, unknown>,
  origins: Readonly<Record<string, string>>,
): string {
  const keys = issue.path.map(String);
  let path = keys.join('.');
  while (keys.length > 0 && !values.has(path)) {
    keys.pop();
    path = keys.join('.');
  }
  if (path === '') return unsetText(issue);
  const origin = origins[path] ?? 'default';
  return `${path} = ${showValue(values.get(path))} (${origin}) ${allowedText(issue)}`;
}

function unsetText(issue: z.core.$ZodIssue): string {
  const path = issue.path.join('.');
  return path === ''
    ? `the config ${allowedText(issue)}`
    : `${path} is not set; it ${allowedText(issue)}`;
}

/** What the schema allows, as the end of a sentence. */
export function allowedText(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${issue.expected === 'int' ? 'a whole number' : article(issue.expected)}`;
    case 'too_small':
      return `must be ${limitText(issue.inclusive === false ? '>' : '>=', issue.minimum, issue)}`;
    case 'too_big':
      return `must be ${limitText(issue.inclusive === false ? '<' : '<=', issue.maximum, issue)}`;
    case 'invalid_value':
      return `must be ${oneOf(issue.values.map(String))}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_union':
      return `must be ${unionText(issue.errors)}`;
    case 'unrecognized_keys':
      return `has unknown keys ${issue.keys.join(', ')}`;
    default:
      return issue.message.startsWith('must ') ? issue.message : `is refused: ${issue.message}`;
  }
}

function limitText(sign: string, limit: number | bigint, issue: { origin: string }): string {
  const isSize = issue.origin === 'array' || issue.origin === 'string' || issue.origin === 'set';
  return isSize ? `of a length ${sign} ${limit}` : `${sign} ${limit}`;
}

function article(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    string: 'a text',
    boolean: 'true or false',
    array: 'a list',
    null: 'null',
  };
  return names[expected] ?? `${/^[aeiou]/.test(expected) ? 'an' : 'a'} ${expected}`;
}

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? `${values[0]}` : `one of ${values.join(', ')}`;
}

function unionText(branches: readonly (readonly z.core.$ZodIssue[])[]): string {
  const texts = branches.map((branch) => (branch[0] ? allowedText(branch[0]) : ''));
  const bare = texts.filter((text) => text !== '').map((text) => text.replace(/^must be /, ''));
  return bare.length > 0 ? bare.join(', or ') : 'of another kind';
}
