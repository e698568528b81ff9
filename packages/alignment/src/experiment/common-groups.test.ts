import { describe, expect, it } from 'vitest';
import { modalityGroup, scaleGroup, settingSweep } from './common-groups.js';

describe('modalityGroup', () => {
  it('has all, and each modality left out and alone', () => {
    const { cells } = modalityGroup(['relation', 'graph']);
    expect(cells.map(({ id, set }) => [id, set['data.modalities']])).toEqual([
      ['modalities/all', ['relation', 'graph']],
      ['modalities/without-relation', ['graph']],
      ['modalities/without-graph', ['relation']],
      ['modalities/only-relation', ['relation']],
      ['modalities/only-graph', ['graph']],
    ]);
  });
});

describe('settingSweep', () => {
  it('has a cell for every value, at its place on the axis', () => {
    expect(settingSweep('tau', 'loss.temperature', [0.1, 1])).toEqual([
      {
        id: 'tau/0.1',
        label: 'temperature 0.1',
        set: { 'loss.temperature': 0.1 },
        x: 0.1,
        series: 'H@1',
      },
      { id: 'tau/1', label: 'temperature 1', set: { 'loss.temperature': 1 }, x: 1, series: 'H@1' },
    ]);
  });
});

describe('scaleGroup', () => {
  it('lies at the entities of both graphs, for the given sizes or its own', () => {
    expect(
      scaleGroup([20, 30]).cells.map(({ x, syntheticEntities }) => [x, syntheticEntities]),
    ).toEqual([
      [40, 20],
      [60, 30],
    ]);
    expect(scaleGroup().cells).toHaveLength(4);
  });
});
