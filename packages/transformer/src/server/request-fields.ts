/**
 * The fields of a request, each read once: what nobody reads might change the answer.
 */
import { isJsonObject } from '../json-file.js';
import { ApiProblem, invalid, unsupported } from './api-problem.js';

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Numbers that a field may have. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

/** Fields that change no answer, whatever they hold. */
const IGNORED: readonly string[] = [
  ...['metadata', 'parallel_tool_calls', 'prediction', 'prompt_cache_key'],
  ...['prompt_cache_retention', 'safety_identifier', 'service_tier', 'store', 'user'],
];

const isEmpty = (value: unknown) => isJsonObject(value) && Object.keys(value).length === 0;
const isNone = (value: unknown) => Array.isArray(value) && value.length === 0;
const is =
  (...neutral: readonly unknown[]) =>
  (value: unknown) =>
    neutral.includes(value);

/** Fields that cannot be done, and what of them changes nothing. */
const NEUTRAL: Readonly<Record<string, (value: unknown) => boolean>> = {
  audio: () => false,
  best_of: is(1),
  echo: is(false),
  frequency_penalty: is(0),
  function_call: is('none'),
  functions: isNone,
  ignore_eos: is(false),
  logit_bias: isEmpty,
  min_p: is(0),
  min_tokens: is(0),
  modalities: (value) => Array.isArray(value) && value.every(is('text')),
  presence_penalty: is(0),
  reasoning_effort: is('none'),
  repetition_penalty: is(1),
  suffix: is(''),
  tool_choice: is('auto', 'none'),
  tools: isNone,
  verbosity: is('medium'),
};

/** The body of a request. A field that is null is as one that is not there. */
export class RequestFields {
  private readonly left: Set<string>;

  constructor(private readonly body: JsonObject) {
    this.left = new Set(Object.keys(body));
  }

  /** A field, whatever it is. */
  value(name: string): unknown {
    this.left.delete(name);
    return Object.hasOwn(this.body, name) ? (this.body[name] ?? undefined) : undefined;
  }

  text(name: string): string | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === 'string') return value;
    throw wrongType(name, 'a string', value);
  }

  flag(name: string): boolean {
    const value = this.value(name) ?? false;
    if (typeof value === 'boolean') return value;
    throw wrongType(name, 'a boolean', value);
  }

  number(name: string, { least, most }: Range): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'number') throw wrongType(name, 'a number', value);
    if (value >= least && value <= most) return value;
    throw invalid(name, `'${name}' is ${value}, it must be between ${least} and ${most}.`);
  }

  integer(name: string, { least, most }: Range): number | undefined {
    const value = this.number(name, { least, most });
    if (value === undefined || Number.isSafeInteger(value)) return value;
    throw invalid(name, `'${name}' is ${value}, it must be a whole number.`);
  }

  object(name: string): RequestFields | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (isJsonObject(value)) return new RequestFields(value);
    throw wrongType(name, 'an object', value);
  }

  /** @throws {ApiProblem} for what was not read, unless it changes nothing. */
  assertAllRead(within = ''): void {
    for (const name of this.left) {
      const value = this.body[name];
      if (value === null || (within === '' && IGNORED.includes(name))) continue;
      const isNeutral = Object.hasOwn(NEUTRAL, name) ? NEUTRAL[name]! : undefined;
      if (isNeutral?.(value) === true) continue;
      const param = `${within}${name}`;
      if (isNeutral !== undefined) throw unsupported(param);
      throw new ApiProblem(400, `Unknown parameter: '${param.slice(0, 100)}'.`, {
        ...{ param: param.slice(0, 100), code: 'unknown_parameter' },
      });
    }
  }
}

/** A field of another type than it must have. */
export function wrongType(param: string, wanted: string, value: unknown): ApiProblem {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
  const got = kind === 'a object' ? 'an object' : kind;
  return invalid(param, `'${param}' must be ${wanted}, got ${got}.`, 'invalid_type');
}
