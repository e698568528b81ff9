/**
 * Metadata of a model for a GGUF file, under the keys that llama.cpp has for them.
 *
 * Source: llama.cpp, `convert_hf_to_gguf.py` and `gguf-py/gguf/constants.py`.
 */
import type { Architecture, RotaryRules } from '../architecture.js';
import type { FamilyModel } from '../families/family.js';
import { rotaryAngles } from '../rotary-frequencies.js';
import { ggufArchitectures } from './architectures.js';
import type { MetadataValue } from './metadata-values.js';
import { FACTORS, LONG_FACTORS, SHORT_FACTORS } from './rotary-metadata.js';

/** What a file says of a model beside its weights. */
export interface ModelMetadata {
  readonly metadata: Map<string, MetadataValue>;
  /** Tensors of factors of rotary positions. */
  readonly factors: ReadonlyMap<string, readonly number[]>;
}

/** A whole number from 0 on. */
export const u32 = (value: number): MetadataValue => ({ type: 'uint32', value });
export const text = (value: string): MetadataValue => ({ type: 'text', value });
export const flag = (value: boolean): MetadataValue => ({ type: 'bool', value });
const f32 = (value: number): MetadataValue => ({ type: 'float32', value });

/** Name of the architecture in GGUF files; undefined where there is none. */
export const architectureName = (modelType: string): string | undefined =>
  Object.keys(ggufArchitectures).find((name) =>
    ggufArchitectures[name]!.modelTypes.includes(modelType),
  );

/** Architectures whose heads may have a width of their own. */
const gated = ['gemma', 'gemma2', 'gemma3', 'llama', 'phi3', 'qwen2', 'qwen3'];
/** Architectures that say how many features of a head turn. */
const turning = ['gptneox', 'llama', 'phi3'];

/**
 * Metadata of the model itself; what they cannot say is left out.
 *
 * @param positions - `max_position_embeddings` of its config.
 */
export function modelMetadata(
  { architecture }: Pick<FamilyModel, 'architecture'>,
  name: string,
  positions: number,
): ModelMetadata {
  const entries: Record<string, MetadataValue> = { ...sizes(architecture, positions) };
  const { norm, headWidth, keyValueHeadCount } = architecture;
  const epsilon = norm.kind === 'rms' ? 'layer_norm_rms_epsilon' : 'layer_norm_epsilon';
  entries[`attention.${epsilon}`] = f32(norm.epsilon);
  if (gated.includes(name)) {
    entries['attention.key_length'] = u32(headWidth);
    entries['attention.value_length'] = u32(headWidth);
  }
  if (gated.includes(name) || name === 'falcon') {
    entries['attention.head_count_kv'] = u32(keyValueHeadCount);
  }
  const rotary = rotaryEntries(architecture, name);
  Object.assign(entries, rotary.entries, ownEntries(architecture, name));
  const metadata = Object.entries(entries).map(
    ([key, value]) => [`${name}.${key}`, value] as const,
  );
  return { metadata: new Map(metadata), factors: rotary.factors };
}

const sizes = (architecture: Architecture, positions: number) => ({
  context_length: u32(positions),
  embedding_length: u32(architecture.width),
  block_count: u32(architecture.layerCount),
  feed_forward_length: u32(architecture.mlpWidth),
  'attention.head_count': u32(architecture.headCount),
  vocab_size: u32(architecture.vocabularySize),
});

/** What only one architecture has. */
function ownEntries(
  { blocks, scoreCap, logitCap, isParallel }: Architecture,
  name: string,
): Record<string, MetadataValue> {
  const near = blocks.find(({ window }) => window !== null);
  const window = near === undefined ? {} : { 'attention.sliding_window': u32(near.window!) };
  switch (name) {
    case 'gemma2':
      return {
        ...window,
        ...(scoreCap === null ? {} : { attn_logit_softcapping: f32(scoreCap) }),
        ...(logitCap === null ? {} : { final_logit_softcapping: f32(logitCap) }),
      };
    case 'gemma3':
      return {
        ...window,
        ...(logitCap === null ? {} : { final_logit_softcapping: f32(logitCap) }),
        'rope.freq_base_swa': f32(near?.rotary?.base ?? 10_000),
      };
    case 'llama':
      return window;
    case 'phi3':
      return { 'attention.sliding_window': u32(near?.window ?? 0) };
    case 'gptneox':
      return { use_parallel_residual: flag(isParallel) };
    case 'falcon':
      return { tensor_data_layout: text('jploski') };
    default:
      return {};
  }
}

interface RotaryEntries {
  readonly entries: Record<string, MetadataValue>;
  readonly factors: ReadonlyMap<string, readonly number[]>;
}

/** Rotary positions of blocks without a window, where blocks differ. */
function rotaryEntries({ blocks }: Architecture, name: string): RotaryEntries {
  const block = blocks.find(({ window }) => window === null) ?? blocks[0];
  const rotary = block?.rotary ?? null;
  if (rotary === null) return { entries: {}, factors: new Map() };
  const entries: Record<string, MetadataValue> = { 'rope.freq_base': f32(rotary.base) };
  if (turning.includes(name)) entries['rope.dimension_count'] = u32(rotary.width);
  const scaled = scalingEntries(rotary, name);
  return { entries: { ...entries, ...scaled.entries }, factors: scaled.factors };
}

function scalingEntries(rotary: RotaryRules, name: string): RotaryEntries {
  const { scaling } = rotary;
  const none = new Map<string, readonly number[]>();
  switch (scaling.kind) {
    case 'linear': {
      const own = {
        'rope.scaling.type': text('linear'),
        'rope.scaling.factor': f32(scaling.factor),
      };
      return { entries: own, factors: none };
    }
    case 'yarn': {
      // There are keys for the ends of the ramp; llama.cpp does not read them everywhere.
      const { originalPositions, factor } = scaling;
      const own = {
        'rope.scaling.type': text('yarn'),
        'rope.scaling.factor': f32(factor),
        'rope.scaling.original_context_length': u32(originalPositions),
      };
      return { entries: own, factors: none };
    }
    case 'llama3':
      return { entries: {}, factors: new Map([[FACTORS, stretches(rotary)]]) };
    case 'longrope': {
      const { longFactors, shortFactors, attentionFactor, originalPositions } = scaling;
      const original = { 'rope.scaling.original_context_length': u32(originalPositions) };
      if (name !== 'phi3') return { entries: original, factors: new Map([[FACTORS, longFactors]]) };
      return {
        entries: { ...original, 'rope.scaling.attn_factor': f32(attentionFactor) },
        factors: new Map([
          [LONG_FACTORS, longFactors],
          [SHORT_FACTORS, shortFactors],
        ]),
      };
    }
    default:
      return { entries: {}, factors: none };
  }
}

/** By how much the wave of each pair is longer than without scaling. */
function stretches(rotary: RotaryRules): number[] {
  const plain = rotaryAngles({ ...rotary, scaling: { kind: 'default' } }, 1);
  const scaled = rotaryAngles(rotary, 1).inverseFrequencies;
  return Array.from(plain.inverseFrequencies, (angle, pair) => Math.fround(angle / scaled[pair]!));
}
