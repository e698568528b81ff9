/**
 * Metadata of a GGUF file as the content of config.json.
 */
import { ModelError, nearest } from '@lab/core';
import type { FamilyTable } from '../families/family.js';
import { type GgufArchitecture, ggufArchitectures } from './architectures.js';
import type { GgufContent } from './gguf-file.js';
import { metadataFields } from './metadata-fields.js';

/** What a GGUF file says of its model. */
export interface GgufConfig {
  /** Content of config.json. */
  readonly values: Record<string, unknown>;
  /** For messages. */
  readonly file: string;
  /** The family's table for weights as they lie in the file. */
  readonly within: (table: FamilyTable) => FamilyTable;
}

/**
 * The config of a GGUF file.
 *
 * @throws {ModelError} for an architecture that is not known, and for a field that is not known
 *   and might change the numbers.
 */
export function ggufConfig(gguf: GgufContent): GgufConfig {
  const { name, architecture } = architectureOf(gguf);
  assertModel(gguf);
  const fields = metadataFields(gguf, `${name}.`);
  for (const expert of ['expert_count', 'expert_used_count']) fields.only(expert, 0);
  fields.only('attention.causal', true);
  fields.ignore('vocab_size');
  const values = architecture.values(fields, gguf);
  fields.assertAllRead();
  return {
    values: { ...values, ...specialIds(gguf) },
    file: gguf.path,
    within: architecture.within ?? ((table) => table),
  };
}

/**
 * The architecture that a file names.
 *
 * @throws {ModelError} where it is not known.
 */
export function architectureOf(gguf: GgufContent): {
  readonly name: string;
  readonly architecture: GgufArchitecture;
} {
  const name = metadataFields(gguf, 'general.').text('architecture');
  if (Object.hasOwn(ggufArchitectures, name)) {
    return { name, architecture: ggufArchitectures[name]! };
  }
  const known = Object.keys(ggufArchitectures);
  const like = nearest(name, known);
  const hint = like === undefined ? '' : ` (near: ${like})`;
  throw new ModelError(
    `${gguf.path}: general.architecture ${JSON.stringify(name)} is not known${hint}.`,
    { help: `Known are ${known.toSorted().join(', ')}.` },
  );
}

/** Refuses files that hold something else than a model. */
function assertModel(gguf: GgufContent): void {
  const general = metadataFields(gguf, 'general.');
  general.only('type', 'model');
  const isQuantised = [...gguf.tensors.values()].some(({ type }) => type.blockLength > 1);
  if (isQuantised) general.only('quantization_version', 2);
}

/** Ids of the tokens at begin and end, where the file has them. */
function specialIds(gguf: GgufContent): Record<string, unknown> {
  const fields = metadataFields(gguf, 'tokenizer.ggml.');
  const idOf = (name: string) => fields.optionalNumber(`${name}_token_id`);
  const ends = [idOf('eos'), idOf('eot'), idOf('eom')].filter((id) => id !== null);
  const [begin, padding] = [idOf('bos'), idOf('padding')];
  const [first, ...others] = [...new Set(ends)];
  return {
    ...(begin === null ? {} : { bos_token_id: begin }),
    ...(first === undefined
      ? {}
      : { eos_token_id: others.length === 0 ? first : [first, ...others] }),
    ...(padding === null ? {} : { pad_token_id: padding }),
  };
}
