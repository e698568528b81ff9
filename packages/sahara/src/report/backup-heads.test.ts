import { describe, expect, it } from 'vitest';
import { backupSentences, pickedHeads } from './backup-heads.js';

const base = { kind: 'sahara-step', unit: 'degrees' } as const;
const first = { layer: 0, head: 2 };

describe('pickedHeads', () => {
  it('calls a head a backup that adds far more than it does alone', () => {
    const steps = [
      {
        ...base,
        scores: [
          [1, 2, 10],
          [3, 0.5, 1],
        ],
        group: [first],
      },
      {
        ...base,
        scores: [
          [11, 12, null],
          [13, 70, 11],
        ],
        group: [first, { layer: 1, head: 1 }],
      },
    ];
    const picks = pickedHeads(steps);
    expect(picks).toEqual([
      { name: '0-2', alone: 10, rankAlone: 1, group: 10, gain: 10, isBackup: false },
      { name: '1-1', alone: 0.5, rankAlone: 6, group: 70, gain: 60, isBackup: true },
    ]);
    expect(backupSentences(picks, 'degrees')).toEqual([
      'Head 1-1 adds 60.0 degrees once 0-2 is ablated, alone it has 0.500 (rank 6): it stands in ' +
        'for what is gone, and scores of single heads do not show what they carry together.',
    ]);
  });

  it('does not for heads that add what they do alone, nor for little ones', () => {
    const steps = [
      { ...base, scores: [[8, 0.1, 10]], group: [first] },
      { ...base, scores: [[17, 11, null]], group: [first, { layer: 0, head: 0 }] },
      {
        ...base,
        scores: [[null, 18, null]],
        group: [first, { layer: 0, head: 0 }, { layer: 0, head: 1 }],
      },
    ];
    expect(pickedHeads(steps).map(({ isBackup }) => isBackup)).toEqual([false, false, false]);
    expect(backupSentences(pickedHeads(steps), 'degrees')).toEqual([]);
    expect(pickedHeads([])).toEqual([]);
  });
});
