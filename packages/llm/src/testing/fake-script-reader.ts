import { ConfigError } from '@lab/core';
import { type FakeScript, fakeScriptSchema, type ParsedFakeScript } from './fake-script.js';

/**
 * A script with all its defaults.
 *
 * @param model - name that goes before the script's.
 * @throws {ConfigError} when the script is not valid.
 */
export function readFakeScript(script: FakeScript, model?: string): ParsedFakeScript {
  const checked = fakeScriptSchema.safeParse(model === undefined ? script : { ...script, model });
  if (checked.success) return checked.data;
  const [first] = checked.error.issues;
  const where = first?.path.join('.') ?? '';
  throw new ConfigError(`llm/testing: script, ${where}: ${first?.message ?? 'not valid'}.`, {
    help: 'see the schema fakeScriptSchema of @lab/llm/testing.',
  });
}
