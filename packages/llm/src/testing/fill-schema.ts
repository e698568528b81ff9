/**
 * Data that fits a JSON schema, chosen by a hash.
 */
import { mixBits, saltOf } from './fake-hash.js';
import { type JsonObject, numberAt, objectAt } from './fake-request.js';
import { wordsOf } from './fake-words.js';

const deepest = 12;

interface Filling {
  readonly hash: string;
  readonly root: JsonObject;
}

/**
 * A value that obeys the schema: each enumeration, number and length is picked by the hash and the
 * place in the value. Patterns are not looked at.
 */
export function fillSchema(schema: JsonObject, hash: string): unknown {
  return fill({ hash, root: schema }, schema, '$');
}

function pick(filling: Filling, path: string, below: number): number {
  return mixBits(filling.hash, saltOf(path)) % Math.max(1, below);
}

function fill(filling: Filling, given: JsonObject, path: string): unknown {
  const schema = resolve(filling, given);
  if ('const' in schema) return schema['const'];
  const values = schema['enum'];
  if (Array.isArray(values)) return values[pick(filling, path, values.length)];
  const options = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(options)) return fillOption(filling, options as JsonObject[], path);
  const all = schema['allOf'];
  if (Array.isArray(all)) return fillAll(filling, all as JsonObject[], path);
  return fillType(filling, schema, path);
}

function resolve(filling: Filling, schema: JsonObject): JsonObject {
  const reference = schema['$ref'];
  if (typeof reference !== 'string') return schema;
  let at: JsonObject = filling.root;
  for (const part of reference.split('/').slice(1)) {
    at = objectAt(at, part.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  return at;
}

function fillOption(filling: Filling, options: readonly JsonObject[], path: string): unknown {
  const isDeep = path.split('.').length > deepest;
  const plain = options.find((option) => option['type'] === 'null');
  if (isDeep && plain !== undefined) return null;
  const option = options[pick(filling, `${path}?`, options.length)];
  return option === undefined ? null : fill(filling, option, path);
}

function fillAll(filling: Filling, parts: readonly JsonObject[], path: string): unknown {
  const values = parts.map((part) => fill(filling, part, path));
  const objects = values.filter((value) => typeof value === 'object' && value !== null);
  return objects.length === values.length ? Object.assign({}, ...objects) : values[0];
}

function fillType(filling: Filling, schema: JsonObject, path: string): unknown {
  const given = schema['type'];
  const type: unknown = Array.isArray(given) ? given[pick(filling, path, given.length)] : given;
  switch (type) {
    case 'null':
      return null;
    case 'boolean':
      return pick(filling, path, 2) === 1;
    case 'integer':
      return fillNumber(filling, schema, path);
    case 'number':
      return fillNumber(filling, schema, path);
    case 'array':
      return fillArray(filling, schema, path);
    case 'string':
      return fillText(filling, schema, path);
    default:
      return 'properties' in schema || type === 'object'
        ? fillObject(filling, schema, path)
        : fillText(filling, schema, path);
  }
}

function fillNumber(filling: Filling, schema: JsonObject, path: string): number {
  const above = numberAt(schema, 'exclusiveMinimum');
  const below = numberAt(schema, 'exclusiveMaximum');
  const isWhole = schema['type'] === 'integer';
  const low = numberAt(schema, 'minimum') ?? (above === undefined ? undefined : above + 1);
  const high = numberAt(schema, 'maximum') ?? (below === undefined ? undefined : below - 1);
  if (!isWhole && above !== undefined && below !== undefined) return (above + below) / 2;
  // zod states the bounds of safe integers, which say nothing about what is wanted.
  const from = low === undefined || low < -1e12 ? Math.min(0, high ?? 0) : low;
  const to = high === undefined || high > 1e12 ? from + 100 : high;
  const step = numberAt(schema, 'multipleOf') ?? 1;
  const steps = Math.floor((to - from) / step + 1e-9);
  return from + pick(filling, path, steps + 1) * step;
}

function fillArray(filling: Filling, schema: JsonObject, path: string): unknown[] {
  const least = numberAt(schema, 'minItems') ?? 0;
  const most = Math.min(numberAt(schema, 'maxItems') ?? least + 2, least + 2);
  const isDeep = path.split('.').length > deepest;
  const length = isDeep ? least : least + pick(filling, `${path}#`, most - least + 1);
  const tuple = schema['prefixItems'];
  if (Array.isArray(tuple)) {
    return tuple.map((item, index) => fill(filling, item as JsonObject, `${path}.${index}`));
  }
  const items = objectAt(schema, 'items');
  return Array.from({ length }, (_, index) => fill(filling, items, `${path}.${index}`));
}

function fillObject(filling: Filling, schema: JsonObject, path: string): JsonObject {
  const properties = objectAt(schema, 'properties');
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : []);
  const isDeep = path.split('.').length > deepest;
  const filled: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(properties)) {
    if (isDeep && !required.has(key)) continue;
    filled[key] = fill(filling, property as JsonObject, `${path}.${key}`);
  }
  return filled;
}

const formats: Readonly<Record<string, string>> = {
  date: '2024-05-17',
  'date-time': '2024-05-17T10:20:30Z',
  email: 'someone@example.org',
  time: '10:20:30Z',
  uri: 'https://example.org/',
  uuid: '6f1d3c5e-8a2b-4c7d-9e0f-112233445566',
};

function fillText(filling: Filling, schema: JsonObject, path: string): string {
  const format = formats[String(schema['format'])];
  if (format !== undefined) return format;
  const salt = saltOf(path);
  const text = wordsOf(filling.hash, 3 + (mixBits(filling.hash, salt) % 4), salt);
  const least = numberAt(schema, 'minLength') ?? 0;
  const most = numberAt(schema, 'maxLength') ?? text.length + least;
  return text.padEnd(least, 'x').slice(0, Math.max(most, least));
}
