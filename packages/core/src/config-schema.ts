import type { z } from 'zod';

/** One option of a config schema. */
export interface ConfigLeaf {
  /** Dotted path, e.g. `training.lr`. */
  readonly path: string;
  readonly schema: z.core.$ZodType;
  /** Text given with `.describe()`: meaning; unit; section. */
  readonly description: string;
}

interface AnyDef {
  readonly type: string;
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
}

const wrappers = new Set(['default', 'prefault', 'optional', 'nonoptional', 'readonly', 'catch']);

function definitionOf(schema: z.core.$ZodType): AnyDef {
  return schema._zod.def as AnyDef;
}

/** The schema inside defaults, optionals, read-only marks and pipes. */
export function unwrapSchema(schema: z.core.$ZodType): z.core.$ZodType {
  const definition = definitionOf(schema);
  if (wrappers.has(definition.type) && definition.innerType) {
    return unwrapSchema(definition.innerType);
  }
  if (definition.type === 'pipe' && definition.in) return unwrapSchema(definition.in);
  return schema;
}

function descriptionOf(schema: z.core.$ZodType): string {
  const own = 'description' in schema ? schema.description : undefined;
  if (typeof own === 'string') return own;
  const definition = definitionOf(schema);
  const inner = wrappers.has(definition.type) ? definition.innerType : definition.in;
  return inner ? descriptionOf(inner) : '';
}

/** The fields of an object schema, or `undefined` for any other schema. */
export function fieldsOf(schema: z.core.$ZodType) {
  const definition = definitionOf(unwrapSchema(schema));
  return definition.type === 'object' ? definition.shape : undefined;
}

/** Every option of a schema in the order of the schema; nested objects are followed. */
export function configLeaves(schema: z.core.$ZodType, prefix = ''): ConfigLeaf[] {
  const fields = fieldsOf(schema) ?? {};
  return Object.entries(fields).flatMap(([key, field]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (fieldsOf(field)) return configLeaves(field, path);
    return [{ path, schema: field, description: descriptionOf(field) }];
  });
}

/** The name of a schema's type for people: `number`, `text`, `list of number`, `a | b`. */
export function typeName(schema: z.core.$ZodType): string {
  const inner = unwrapSchema(schema);
  const definition = inner._zod.def as AnyDef & {
    readonly entries?: Readonly<Record<string, string | number>>;
    readonly values?: readonly unknown[];
    readonly element?: z.core.$ZodType;
    readonly options?: readonly z.core.$ZodType[];
  };
  if (definition.type === 'nullable' && definition.innerType) {
    return `${typeName(definition.innerType)} | null`;
  }
  if (definition.type === 'enum') return Object.values(definition.entries ?? {}).join(' | ');
  if (definition.type === 'literal') return (definition.values ?? []).map(String).join(' | ');
  if (definition.type === 'array' && definition.element) {
    return `list of ${typeName(definition.element)}`;
  }
  if (definition.type === 'union') return (definition.options ?? []).map(typeName).join(' | ');
  if (definition.type === 'string') return 'text';
  if (definition.type === 'boolean') return 'true | false';
  return definition.type;
}
