/**
 * Whether JSON is as a schema says: the few words of JSON schema that schemas here are written in.
 */

/** The part of JSON schema that is known. */
export interface JsonSchema {
  readonly type?: 'array' | 'integer' | 'number' | 'object' | 'string' | undefined;
  readonly enum?: readonly string[] | undefined;
  readonly minimum?: number | undefined;
  readonly items?: JsonSchema | undefined;
  readonly anyOf?: readonly JsonSchema[] | undefined;
  readonly required?: readonly string[] | undefined;
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined;
  readonly additionalProperties?: false | undefined;
}

/** What does not fit: the place, such as `[2].layer`, and what is wrong with it. */
export interface SchemaProblem {
  readonly path: string;
  readonly what: string;
}

/** What of a value does not fit a schema, in the order of the value; empty where all does. */
export function schemaProblems(value: unknown, schema: JsonSchema, path = ''): SchemaProblem[] {
  const wrong = (what: string): SchemaProblem[] => [{ path, what }];
  if (schema.anyOf !== undefined) {
    const fits = schema.anyOf.some((one) => schemaProblems(value, one).length === 0);
    return fits ? [] : wrong(`must be ${schema.anyOf.map(named).join(' or ')}, ${got(value)}`);
  }
  if (!hasType(value, schema)) return wrong(`must be ${named(schema)}, ${got(value)}`);
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return [];
    return value.flatMap((one, at) => schemaProblems(one, items, `${path}[${at}]`));
  }
  if (schema.type !== 'object') return [];
  const fields = value as Readonly<Record<string, unknown>>;
  const { required = [], properties = {}, additionalProperties } = schema;
  const missing = required.filter((name) => !Object.hasOwn(fields, name));
  return [
    ...missing.flatMap((name) => wrong(`has no ${name}`)),
    ...Object.entries(fields).flatMap(([name, one]) => {
      if (Object.hasOwn(properties, name)) {
        return schemaProblems(one, properties[name]!, path === '' ? name : `${path}.${name}`);
      }
      const known = Object.keys(properties).join(', ');
      return additionalProperties === false
        ? wrong(`has ${name}, which is not known; known are ${known}`)
        : [];
    }),
  ];
}

function hasType(value: unknown, { type, enum: values, minimum }: JsonSchema): boolean {
  if (values !== undefined) return typeof value === 'string' && values.includes(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  }
  if (type === 'string') return typeof value === 'string';
  if (type !== 'integer' && type !== 'number') return true;
  if (typeof value !== 'number' || (minimum !== undefined && value < minimum)) return false;
  return type === 'number' || Number.isInteger(value);
}

function named({ type, enum: values, minimum, items }: JsonSchema): string {
  if (values !== undefined) return `one of ${values.join(', ')}`;
  if (type === 'array') return items === undefined ? 'a list' : `a list, each ${named(items)}`;
  const names = { integer: 'a whole number', number: 'a number', object: 'an object' } as const;
  const name = type === undefined || type === 'string' ? 'a text' : names[type];
  return minimum === undefined ? name : `${name} of at least ${minimum}`;
}

const got = (value: unknown): string => `got ${JSON.stringify(value)?.slice(0, 40)}`;
