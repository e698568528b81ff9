/** What the golden tests of checkpoints share. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import type { ArrayRecord } from '@lab/tensor/io';
import { expect } from 'vitest';

/** Rows of a matrix of ids. */
export function idRows({ shape, data }: ArrayRecord): number[][] {
  const width = shape[1]!;
  return Array.from({ length: shape[0]! }, (_, row) =>
    Array.from(data.slice(row * width, (row + 1) * width), Number),
  );
}

/** Another value of a field, and how far transformers moves with it. */
export interface Switch {
  readonly field: string;
  readonly value: unknown;
  readonly change: number;
}

/** The fields of a checkpoint that matter. */
export function switchesOf(name: string): readonly Switch[] {
  const path = join(import.meta.dirname, 'switches.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as Record<string, Switch[]>)[name] ?? [];
}

/** Largest difference over the tokens that count. */
export function farthest(
  found: Float32Array,
  wanted: Float32Array,
  mask: readonly number[][],
): number {
  expect(found.length).toBe(wanted.length);
  const counts = mask.flat();
  const width = found.length / counts.length;
  return found.reduce((most, value, at) => {
    if (counts[Math.floor(at / width)] === 0) return most;
    const off = Math.abs(value - wanted[at]!);
    return Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(most, off);
  }, 0);
}

/** The checkpoint with one field of its config changed. */
export function withField(folder: string, field: string, value: unknown): string {
  const made = join(temporaryFolder(), basename(folder));
  mkdirSync(made);
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  const path = field.split('.');
  const inner = path.slice(0, -1).reduce((object, key) => object[key], config);
  inner[path.at(-1)!] = value;
  writeFileSync(join(made, 'config.json'), JSON.stringify(config));
  symlinkSync(join(folder, 'model.safetensors'), join(made, 'model.safetensors'));
  return made;
}

/** Difference between the largest and the smallest number of the tokens that count. */
export function spreadOf(values: Float32Array, mask: readonly number[][]): number {
  const counts = mask.flat();
  const width = values.length / counts.length;
  const own = values.filter((_, at) => counts[Math.floor(at / width)] !== 0);
  const least = own.reduce((found, value) => Math.min(found, value), Number.POSITIVE_INFINITY);
  return own.reduce((found, value) => Math.max(found, value), Number.NEGATIVE_INFINITY) - least;
}

/** How `drawnNumbers` draws: evenly between `centre - spread` and `centre + spread`. */
interface DrawRule {
  readonly seed: number;
  readonly centre: number;
  readonly spread: number;
}

/**
 * Numbers of a weight that no file holds: the hash of `seed + 0`, `seed + 1` .., as the Python
 * beside draws them. Source: Wellons, hash-prospector, lowbias32.
 */
export function drawnNumbers(rule: DrawRule, shape: readonly number[]): Float32Array {
  const { seed, centre, spread } = rule;
  const length = shape.reduce((all, size) => all * size, 1);
  return Float32Array.from({ length }, (_, at) => {
    let x = (seed + at) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    const share = ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
    return centre + spread * (2 * share - 1);
  });
}
