/**
 * GGUF files for tests.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import type { MetadataValue } from '../metadata-values.js';
import { text, u32 } from '../metadata-of-model.js';
import { tensorTypeNamed } from '../tensor-types.js';
import { ggufParts, tensorBytes, type WritableTensor } from '../write-gguf.js';

/** Tensors of a file: type and shape by name, zeros in them. */
export type Tensors = Readonly<Record<string, readonly [type: string, ...shape: number[]]>>;

/** The bytes of a file. */
export async function ggufBytes(
  metadata: Readonly<Record<string, MetadataValue>>,
  tensors: Tensors = {},
): Promise<Buffer> {
  const writable = Object.entries(tensors).map(([name, [type, ...shape]]): WritableTensor => {
    const own = { name, type: tensorTypeNamed(type), shape };
    return {
      ...own,
      async *parts() {
        yield new Uint8Array(tensorBytes(own));
      },
    };
  });
  const parts: Uint8Array[] = [];
  for await (const part of ggufParts(new Map(Object.entries(metadata)), writable)) {
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** A file of these bytes. */
export function fileOf(bytes: Uint8Array): string {
  const file = join(temporaryFolder(), 'model.gguf');
  writeFileSync(file, bytes);
  return file;
}

const f32 = (value: number): MetadataValue => ({ type: 'float32', value });

/** Metadata of a small Llama. */
export const llamaMetadata: Readonly<Record<string, MetadataValue>> = {
  'general.architecture': text('llama'),
  'llama.block_count': u32(1),
  'llama.context_length': u32(64),
  'llama.embedding_length': u32(32),
  'llama.feed_forward_length': u32(64),
  'llama.attention.head_count': u32(4),
  'llama.attention.head_count_kv': u32(2),
  'llama.attention.layer_norm_rms_epsilon': f32(1e-5),
};

/** Its tensors. */
export const llamaTensors: Tensors = {
  'token_embd.weight': ['F32', 7, 32],
  'output_norm.weight': ['F32', 32],
  'output.weight': ['F16', 7, 32],
  'blk.0.attn_norm.weight': ['F32', 32],
  'blk.0.attn_q.weight': ['F32', 32, 32],
  'blk.0.attn_k.weight': ['F16', 16, 32],
  'blk.0.attn_v.weight': ['Q8_0', 16, 32],
  'blk.0.attn_output.weight': ['F32', 32, 32],
  'blk.0.ffn_norm.weight': ['F32', 32],
  'blk.0.ffn_gate.weight': ['F32', 64, 32],
  'blk.0.ffn_up.weight': ['Q4_0', 64, 32],
  'blk.0.ffn_down.weight': ['F32', 32, 64],
};
