import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { nativeFolder, readSetup, removeSetup, type SetupRecord, writeSetup } from './places.js';

const RECORD: SetupRecord = {
  tensorflow: '/python/tensorflow',
  tensorflowVersion: '2.21.0',
  isCuda: false,
  tfjsNode: '/project/node_modules/@tensorflow/tfjs-node',
  compiler: 'g++',
  date: '2026-11-27',
};

let home = '';

beforeEach(() => {
  home = join(temporaryFolder(), 'deep', 'lab-tensor');
  vi.stubEnv('LAB_TENSOR_HOME', home);
});

afterEach(() => vi.unstubAllEnvs());

describe('the folder', () => {
  test('is the one that is named', () => {
    expect(nativeFolder()).toBe(home);
  });

  test.each(['', undefined])('is the data folder of the user with %j', (named) => {
    vi.stubEnv('LAB_TENSOR_HOME', named);
    vi.stubEnv('XDG_DATA_HOME', '/data');
    expect(nativeFolder()).toBe('/data/lab-tensor');
    vi.stubEnv('XDG_DATA_HOME', '');
    expect(nativeFolder()).toBe(join(homedir(), '.local', 'share', 'lab-tensor'));
  });
});

describe('the record', () => {
  test('is null before a setup', () => {
    expect(readSetup()).toBeNull();
  });

  test('comes back as it was written, and a later one in its place', () => {
    writeSetup(RECORD);
    expect(readSetup()).toEqual(RECORD);
    writeSetup({ ...RECORD, tensorflowVersion: '2.22.0' });
    expect(readSetup()).toEqual({ ...RECORD, tensorflowVersion: '2.22.0' });
    expect(readdirSync(home)).toEqual(['setup.json']);
  });

  test.each(['', '{"tensorflow": "/pyt', 'null', '7', '{}', '{"tensorflow": 1}', '[]'])(
    'is none with %j for its text',
    (text) => {
      writeSetup(RECORD);
      writeFileSync(join(home, 'setup.json'), text);
      expect(readSetup()).toBeNull();
    },
  );

  test('is none where it has a folder for its file', () => {
    mkdirSync(join(home, 'setup.json'), { recursive: true });
    expect(readSetup()).toBeNull();
  });
});

describe('removal', () => {
  test('of nothing says so', () => {
    expect(removeSetup()).toBe(false);
  });

  test('takes the record, the builds and the folder', () => {
    writeSetup(RECORD);
    mkdirSync(join(home, 'builds', 'key'), { recursive: true });
    writeFileSync(join(home, 'builds', 'key', 'lab_kernels.node'), '');
    expect(removeSetup()).toBe(true);
    expect({ record: readSetup(), isThere: existsSync(home) }).toEqual({
      ...{ record: null, isThere: false },
    });
    expect(removeSetup()).toBe(false);
  });

  test('takes builds without a record, too', () => {
    mkdirSync(join(home, 'builds'), { recursive: true });
    expect(removeSetup()).toBe(true);
    expect(existsSync(home)).toBe(false);
  });

  test('leaves files that no setup has made', () => {
    writeSetup(RECORD);
    writeFileSync(join(home, 'notes.txt'), 'mine');
    expect(removeSetup()).toBe(true);
    expect(readdirSync(home)).toEqual(['notes.txt']);
    expect(removeSetup()).toBe(false);
  });

  test('leaves a file that stands where the folder would be', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, 'mine');
    vi.stubEnv('LAB_TENSOR_HOME', file);
    expect(removeSetup()).toBe(false);
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });
});
