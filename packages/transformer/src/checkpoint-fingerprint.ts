/**
 * Short names of what is in a checkpoint: whether two results are of the same model.
 */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ModelError } from '@lab/core';
import { isGgufFile } from './gguf/gguf-file.js';
import { checkpointFolder } from './weights/checkpoint-folder.js';

/** SHA-256 of model and tokenizer, lower-case hexadecimal. */
export interface CheckpointFingerprint {
  readonly model: string;
  /** Of tokenizer.json; of a GGUF file that of the model, of a folder without one empty. */
  readonly tokenizer: string;
}

/** Bytes of a slice, and slices of a file; a smaller file is read whole. */
const SLICE = 1 << 20;
const SLICES = 256;

/**
 * Fingerprints of a checkpoint: of config.json and the files of weights, and of tokenizer.json.
 *
 * Of each file of weights size, first MiB (with the header of a safetensors file) and 255 slices of
 * a MiB at even distances count, so that 70B parameters take seconds; files of up to 256 MiB count
 * whole. Names of folders do not count, nor do later parts of a GGUF file in parts.
 *
 * @param path - as for `loadModel`.
 * @throws {ModelError} where there is no checkpoint.
 */
export function checkpointFingerprint(path: string): CheckpointFingerprint {
  const folder = checkpointFolder(path);
  if (isGgufFile(folder)) {
    const model = digestOf([folder]);
    return { model, tokenizer: model };
  }
  const weights = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));
  if (weights.length === 0 || !existsSync(join(folder, 'config.json'))) {
    throw new ModelError(`${folder}: has no config.json with *.safetensors beside it.`, {
      help: 'Name the folder of a Hugging Face checkpoint.',
    });
  }
  const files = ['config.json', ...weights.toSorted()].map((name) => join(folder, name));
  const tokenizer = join(folder, 'tokenizer.json');
  return {
    model: digestOf(files),
    tokenizer: existsSync(tokenizer) ? digestOf([tokenizer]) : '',
  };
}

/** A digest of names, sizes and contents of files. */
function digestOf(paths: readonly string[]): string {
  const digest = createHash('sha256');
  for (const path of paths) {
    const file = openSync(path, 'r');
    try {
      const { size } = fstatSync(file);
      digest.update(`${basename(path)}\n${size}\n`);
      for (const slice of slicesOf(file, size)) digest.update(slice);
    } finally {
      closeSync(file);
    }
  }
  return digest.digest('hex');
}

function* slicesOf(file: number, size: number): Generator<Uint8Array> {
  const block = Buffer.alloc(Math.min(SLICE, size));
  const isWhole = size <= SLICE * SLICES;
  const count = isWhole ? Math.ceil(size / SLICE) : SLICES;
  const step = isWhole ? SLICE : (size - SLICE) / (SLICES - 1);
  for (let at = 0; at < count; at += 1) {
    const read = readSync(file, block, 0, block.length, Math.round(at * step));
    yield block.subarray(0, read);
  }
}
