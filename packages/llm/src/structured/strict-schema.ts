import { ConfigError } from '@lab/core';
import { z } from 'zod';

type Json = Record<string, unknown>;

/** Keys of JSON Schema under which a schema, a list or a table of schemas stands. */
const single = ['items', 'contains', 'not', 'additionalProperties', 'propertyNames'];
const lists = ['anyOf', 'oneOf', 'allOf', 'prefixItems'];
const tables = ['properties', '$defs', 'definitions', 'patternProperties'];
const safeRange = ['minimum', 'maximum'];

/**
 * The JSON Schema of what a model has to write, in the strict form that servers enforce: every key
 * is required, those that may be absent may be null instead, and no object has further keys (but
 * tables of type `z.record`, which have no other form).
 *
 * `askForJson` takes such a null for an absent key.
 *
 * @throws {ConfigError} where the schema has no form in JSON.
 */
export function strictJsonSchema(schema: z.ZodType): Json {
  const known = forms.get(schema);
  if (known) return known;
  const form = makeForm(schema);
  forms.set(schema, form);
  return form;
}

/** Making a form takes longer than all else about a call, and rows share their schema. */
const forms = new WeakMap<z.ZodType, Json>();

function makeForm(schema: z.ZodType): Json {
  let plain: Json;
  try {
    plain = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json;
  } catch (cause) {
    throw new ConfigError(`llm/structured: the schema has no JSON form (${String(cause)}).`, {
      help: 'Use types that JSON has: objects, arrays, strings, numbers, booleans, null.',
      cause,
    });
  }
  const { $schema: _, ...rest } = plain;
  return strict(rest);
}

function strict(schema: Json): Json {
  const result: Json = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'default' || key === '~standard') continue;
    if (single.includes(key) && isObject(value)) result[key] = strict(value);
    else if (lists.includes(key) && Array.isArray(value)) result[key] = value.map(strictItem);
    else if (tables.includes(key) && isObject(value)) {
      result[key] = Object.fromEntries(
        Object.entries(value).map(([name, item]) => [name, strictItem(item)]),
      );
    } else result[key] = value;
  }
  if (result['type'] === 'integer') dropSafeRange(result);
  return isObject(result['properties']) ? closed(result, result['properties']) : result;
}

function closed(schema: Json, properties: Json): Json {
  const required = new Set((schema['required'] as string[] | undefined) ?? []);
  const all = Object.entries(properties).map(([name, item]) => [
    name,
    required.has(name) ? item : nullable(item),
  ]);
  return {
    ...schema,
    properties: Object.fromEntries(all) as Json,
    required: Object.keys(properties),
    additionalProperties: false,
  };
}

function nullable(schema: unknown): unknown {
  if (!isObject(schema)) return schema;
  const { type, enum: values } = schema;
  if ('const' in schema || '$ref' in schema) return { anyOf: [schema, { type: 'null' }] };
  if (Array.isArray(schema['anyOf'])) {
    const branches = schema['anyOf'] as unknown[];
    const hasNull = branches.some((branch) => isObject(branch) && branch['type'] === 'null');
    return hasNull ? schema : { ...schema, anyOf: [...branches, { type: 'null' }] };
  }
  if (typeof type !== 'string' && !Array.isArray(type)) {
    return Object.keys(schema).length === 0 ? schema : { anyOf: [schema, { type: 'null' }] };
  }
  const types = Array.isArray(type) ? (type as string[]) : [type];
  if (types.includes('null')) return schema;
  return {
    ...schema,
    type: [...types, 'null'],
    ...(Array.isArray(values) ? { enum: [...(values as unknown[]), null] } : {}),
  };
}

/** The range that zod writes for every integer says nothing, and some servers refuse it. */
function dropSafeRange(schema: Json): void {
  for (const key of safeRange) {
    if (Math.abs(schema[key] as number) === Number.MAX_SAFE_INTEGER) delete schema[key];
  }
}

function strictItem(item: unknown): unknown {
  return isObject(item) ? strict(item) : item;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
