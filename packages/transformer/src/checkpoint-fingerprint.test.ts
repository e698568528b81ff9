import { cpSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { expect, test } from 'vitest';
import { checkpointFingerprint } from './checkpoint-fingerprint.js';
import { exampleModel } from './example-models.js';

const source = exampleModel('planted-early');

function copied(): string {
  const folder = join(temporaryFolder(), 'copy');
  cpSync(source, folder, { recursive: true });
  return folder;
}

test('a copy has the fingerprints of the original, another model has others', () => {
  const own = checkpointFingerprint(source);
  expect(own.model).toMatch(/^[0-9a-f]{64}$/);
  expect(checkpointFingerprint(copied())).toEqual(own);
  expect(checkpointFingerprint('example:planted-early')).toEqual(own);
  const other = checkpointFingerprint(exampleModel('planted-noisy'));
  expect(other.model).not.toBe(own.model);
});

test('a changed weight, config or tokenizer changes its fingerprint and no other', () => {
  const own = checkpointFingerprint(source);
  const weights = copied();
  const path = join(weights, 'model.safetensors');
  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(path, bytes);
  const changed = checkpointFingerprint(weights);
  expect(changed.model).not.toBe(own.model);
  expect(changed.tokenizer).toBe(own.tokenizer);
  const tokenizer = copied();
  writeFileSync(join(tokenizer, 'tokenizer.json'), '{}');
  expect(checkpointFingerprint(tokenizer).model).toBe(own.model);
  expect(checkpointFingerprint(tokenizer).tokenizer).not.toBe(own.tokenizer);
});

test('of a file of more than 256 MiB slices count, its end among them', () => {
  const folder = copied();
  const path = join(folder, 'model.safetensors');
  truncateSync(path, 300 * 2 ** 20); // a sparse file
  const before = checkpointFingerprint(folder).model;
  truncateSync(path, 300 * 2 ** 20 - 1);
  writeFileSync(path, 'x', { flag: 'a' });
  expect(checkpointFingerprint(folder).model).not.toBe(before);
});

test('a folder without a checkpoint says what is missing', () => {
  expect(() => checkpointFingerprint(temporaryFolder())).toThrow('has no config.json');
});
