/**
 * A tuned lens on disk, and states read through it.
 */
import { DataError } from '@lab/core';
import { tf } from '@lab/tensor';
import { readSafetensors, writeSafetensors, type WritableArray } from '@lab/tensor/io';
import { z } from 'zod';
import type { StateRows } from './state-rows.js';
import type { Translator, TunedLens } from './tuned-lens.js';

const headerSchema = z.object({
  schemaVersion: z.literal(1),
  modelFingerprint: z.string(),
  width: z.int().min(1),
  stateCount: z.int().min(2),
  translators: z.array(z.object({ state: z.int(), before: z.number(), after: z.number() })),
});

/** Writes a lens as a safetensors file: `STATE.weight` and `STATE.bias`, the rest as metadata. */
export async function writeTunedLens(path: string, lens: TunedLens): Promise<void> {
  const { modelFingerprint, width, stateCount } = lens;
  const arrays: Record<string, WritableArray> = {};
  for (const { state, weight, bias } of lens.translators) {
    arrays[`${state}.weight`] = { shape: [width, width], data: weight };
    arrays[`${state}.bias`] = { shape: [width], data: bias };
  }
  const translators = lens.translators.map(({ state, before, after }) => ({
    ...{ state, before, after },
  }));
  const header = { schemaVersion: 1, modelFingerprint, width, stateCount, translators };
  await writeSafetensors(path, arrays, { 'tuned-lens': JSON.stringify(header) });
}

/**
 * A lens of a file.
 *
 * @throws {DataError} for a file that is none, or of another version, or that lacks a matrix.
 */
export async function readTunedLens(path: string): Promise<TunedLens> {
  const { tensors, metadata } = await readSafetensors(path);
  const found = headerSchema.safeParse(headerOf(metadata?.['tuned-lens']));
  if (!found.success) throw noLens(path, 'is no tuned lens of version 1');
  const { modelFingerprint, width, stateCount, translators } = found.data;
  const floats = (name: string, length: number) => {
    const data = tensors[name]?.data;
    if (data instanceof Float32Array && data.length === length) return data;
    const has = data === undefined ? 'is missing' : `has ${data.length} numbers`;
    throw noLens(path, `${name} ${has}, a tuned lens of width ${width} has ${length}, float32`);
  };
  return {
    ...{ modelFingerprint, width, stateCount },
    translators: translators.map(({ state, before, after }) => ({
      ...{ state, before, after, weight: floats(`${state}.weight`, width * width) },
      bias: floats(`${state}.bias`, width),
    })),
  };
}

/** The header of a lens; undefined where it is not JSON. */
function headerOf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

const noLens = (path: string, what: string) =>
  new DataError(`${path}: ${what}.`, {
    file: path,
    help: 'Make it again with "weak-probe lens --tune".',
  });

/**
 * States as the lens translates them, for `lensStates`: states without a translator, such as the
 * last, stay as they are.
 *
 * @throws {DataError} for states of another size than the lens's.
 */
export function translatedRows(lens: TunedLens, rows: StateRows): StateRows {
  const { width, stateCount } = rows;
  if (width !== lens.width || stateCount !== lens.stateCount) {
    throw new DataError(
      `weak-probe/tuned-lens: the lens is for ${lens.stateCount} states of width ${lens.width}, ` +
        `there are ${stateCount} of width ${width}.`,
      { help: 'Take a lens that was trained on the same model.' },
    );
  }
  const known = new Map(lens.translators.map((one) => [one.state, one]));
  return {
    ...{ width, stateCount, rowCount: rows.rowCount },
    readState: async (state) => {
      const own = await rows.readState(state);
      const translator = known.get(state);
      return translator === undefined ? own : translatedState(own, translator, width);
    },
  };
}

async function translatedState(
  rows: Float32Array,
  { weight, bias }: Translator,
  width: number,
): Promise<Float32Array> {
  const moved = tf.tidy(() => {
    const x = tf.tensor2d(rows, [rows.length / width, width]);
    const products = tf.matMul(x, tf.tensor2d(weight, [width, width]), false, true);
    return tf.add(tf.add(x, products), tf.tensor1d(bias));
  });
  const data = (await moved.data()) as Float32Array;
  moved.dispose();
  return data.slice();
}
