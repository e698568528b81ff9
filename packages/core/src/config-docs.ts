import { z } from 'zod';
import type { ConfigDefinition } from './config.js';
import { type ConfigLeaf, configLeaves, typeName } from './config-schema.js';
import { showValue } from './config-values.js';

/**
 * The options of a package as a Markdown table (option, type, default, meaning), one row per option
 * in the order of the schema.
 */
export function configTable<C>(definition: ConfigDefinition<C>): string {
  const rows = configLeaves(definition.schema).map((leaf) => {
    const cells = [cell(typeName(leaf.schema)), defaultOf(leaf), cell(leaf.description)];
    return `| \`${leaf.path}\` | ${cells.join(' | ')} |`;
  });
  return ['| option | type | default | meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function defaultOf(leaf: ConfigLeaf): string {
  const result = leaf.schema['~standard'].validate(undefined);
  if (result instanceof Promise || result.issues) return 'none';
  return result.value === undefined ? 'none' : `\`${cell(showValue(result.value))}\``;
}

/** The JSON schema (draft 2020-12) of a package's config file. */
export function configJsonSchema<C>(definition: ConfigDefinition<C>): Record<string, unknown> {
  const schema = z.toJSONSchema(definition.schema, { io: 'input', unrepresentable: 'any' });
  const { $schema, ...rest } = schema as Record<string, unknown>;
  return { $schema, title: `Options of ${definition.name}`, ...rest };
}
