import { describe, expect, it } from 'vitest';
import type { RestoredRun } from '../restore.js';
import { trainAgainText } from './train-again.js';

const stateOf = (test: Int32Array) =>
  ({ task: { split: { test } } }) as unknown as RestoredRun['state'];

describe('trainAgainText', () => {
  const own = { source: 'a.csv', target: 'b.csv', links: 'l.csv', targetAttributes: 'b2.csv' };

  it('names a folder, or the files of own graphs', () => {
    const dir = { source: { dir: 'data' }, state: stateOf(new Int32Array(0)) };
    expect(trainAgainText('ibmea', dir)).toBe('ibmea train --data data');
    const tested = { source: { own }, state: stateOf(Int32Array.of(1, 2)) };
    expect(trainAgainText('ibmea', tested)).toBe(
      'ibmea train --source a.csv --target b.csv --target-attributes b2.csv --links l.csv',
    );
  });

  it('leaves links out that are all seeds: the seeds stand for them', () => {
    const all = { source: { own }, state: stateOf(new Int32Array(0)) };
    expect(trainAgainText('ibmea', all)).not.toContain('--links');
  });
});
