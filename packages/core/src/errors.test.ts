import { describe, expect, it } from 'vitest';
import { collectDefects, reportDefect, throwDefect } from './defects.js';
import {
  BackendError,
  BudgetError,
  ConfigError,
  DataError,
  exitCodeOf,
  InterruptedError,
  LabError,
  LlmError,
  ModelError,
  ShapeError,
} from './errors.js';

describe('LabError', () => {
  it.each([
    [new ConfigError('m'), 'LAB_CONFIG', 2],
    [new DataError('m'), 'LAB_DATA', 3],
    [new ShapeError('m'), 'LAB_SHAPE', 4],
    [new ModelError('m'), 'LAB_MODEL', 4],
    [new BackendError('m'), 'LAB_BACKEND', 4],
    [new LlmError('m'), 'LAB_LLM', 5],
    [new BudgetError('m'), 'LAB_BUDGET', 6],
    [new LabError('m', { code: 'LAB_FAILED_ROWS' }), 'LAB_FAILED_ROWS', 7],
    [new LabError('m', { code: 'LAB_GATE' }), 'LAB_GATE', 8],
    [new InterruptedError('m'), 'LAB_INTERRUPTED', 130],
    [new LabError('m'), 'LAB_ERROR', 1],
  ])('%s has its code and exit code', (error, code, exitCode) => {
    expect(error.code).toBe(code);
    expect(exitCodeOf(error)).toBe(exitCode);
    expect(error).toBeInstanceOf(LabError);
    expect(error.name).toBe(error.constructor.name);
  });

  it('is recognised across copies of the package, other values are not', () => {
    const foreign = Object.assign(new Error('m'), { [Symbol.for('lab.error')]: true });
    expect(LabError.is(foreign)).toBe(true);
    for (const value of [new Error('m'), null, undefined, 'text', {}]) {
      expect(LabError.is(value)).toBe(false);
    }
    expect(exitCodeOf(new Error('m'))).toBe(1);
  });

  it('keeps help, details and cause', () => {
    const cause = new Error('inner');
    const error = new ConfigError('m', { help: 'h', details: { a: 1 }, cause });
    expect(error).toMatchObject({ help: 'h', details: { a: 1 }, cause });
  });

  it('keeps the place of a data error as properties and details', () => {
    const place = { file: 'a.txt', line: 3, column: 2, text: 'x y', field: 'id' };
    const error = new DataError('m', { ...place, details: { more: 1 } });
    expect(error).toMatchObject(place);
    expect(error.details).toEqual({ ...place, more: 1 });
    expect('line' in new DataError('m')).toBe(false);
  });

  it('keeps what a shape error compares', () => {
    const error = new ShapeError('m', { expected: [2], got: [3] });
    expect(error).toMatchObject({ expected: [2], got: [3] });
    expect(error.details).toEqual({ expected: [2], got: [3] });
  });
});

describe('defects', () => {
  it('throws the first one by default', () => {
    expect(() => throwDefect(new DataError('bad'))).toThrow('bad');
  });

  it('collects up to the limit and counts all', () => {
    const collected = collectDefects(2);
    for (const name of ['a', 'b', 'c']) collected.onDefect(new DataError(name));
    expect(collected.defects.map((defect) => defect.message)).toEqual(['a', 'b']);
    expect(collected.count).toBe(3);
  });

  it('turns thrown data errors into defects and nothing else', () => {
    const collected = collectDefects();
    const fail = (error: Error) => () => {
      throw error;
    };
    expect(reportDefect(collected.onDefect, () => 5)).toBe(5);
    expect(reportDefect(collected.onDefect, fail(new DataError('bad')))).toBeUndefined();
    expect(collected.count).toBe(1);
    expect(() => reportDefect(collected.onDefect, fail(new TypeError('own')))).toThrow('own');
  });
});
