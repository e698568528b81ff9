import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { type ExtendedData, readAddedEntities } from '@lab/graph';
import { selectBackend } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallTask, smallTraining, valuesOf } from './__fixtures__/small-task.js';
import { tableMethod } from './__fixtures__/table-method.js';
import { alignAdded, extendRows, extendTraining } from './added-entities.js';
import { candidateTable } from './candidate-table.js';
import type { AlignmentTask } from './data.js';
import { trainEpochs } from './train.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Four known entities 0..3, then added ones; a triple for each pair. */
const graphOf = (entityCount: number, pairs: readonly (readonly [number, number])[]) => ({
  entityCount,
  triples: {
    heads: Int32Array.from(pairs, ([head]) => head),
    relations: new Int32Array(pairs.length),
    tails: Int32Array.from(pairs, ([, tail]) => tail),
    leftCount: pairs.length,
  },
});

const known = { values: Float32Array.of(1, 0, 3, 0, 5, 0, 7, 8), width: 2, baseCount: 4 };
const rowOf = (rows: Float32Array, entity: number) => [
  ...rows.subarray(2 * entity, 2 * entity + 2),
];

describe('extendRows', () => {
  it('is the mean of the neighbours, each once, in either direction', () => {
    const data = graphOf(5, [
      [4, 0],
      [4, 0],
      [1, 4],
      [2, 3],
    ]);
    const rows = extendRows(data, known);
    expect([...rows.subarray(0, 8)]).toEqual([...known.values]);
    expect(rowOf(rows, 4)).toEqual([2, 0]);
  });

  it('passes along links between added entities; without a path it is the mean of all', () => {
    const data = graphOf(9, [
      [4, 3],
      [5, 4],
      [7, 8],
      [6, 6],
    ]);
    const rows = extendRows(data, known);
    expect(rowOf(rows, 5)).toEqual(rowOf(rows, 4));
    expect(rowOf(rows, 4)[0]).toBeCloseTo(7, 2);
    for (const entity of [6, 7, 8]) expect(rowOf(rows, entity)).toEqual([4, 2]);
  });
});

/** A copy of some source entities of a task under new names, with all their triples. */
async function withCopies(task: AlignmentTask, count: number): Promise<ExtendedData> {
  const { data } = task;
  const copied = new Set(Array.from({ length: count }, (_, at) => task.split.test[2 * at]!));
  const name = (entity: number) => `${copied.has(entity) ? 'new ' : ''}${data.entityNames[entity]}`;
  const { heads, relations, tails, leftCount } = data.triples;
  const lines: string[] = [];
  for (let e = 0; e < leftCount; e += 1) {
    if (!copied.has(heads[e]!) && !copied.has(tails[e]!)) continue;
    lines.push(`${name(heads[e]!)},${data.relationNames[relations[e]!]},${name(tails[e]!)}\n`);
  }
  const triples = join(temporaryFolder(), 'new.csv');
  writeFileSync(triples, lines.join(''));
  return (await readAddedEntities(data, { triples })).data;
}

describe('extendTraining', () => {
  it('keeps what was learnt and finds counterparts of entities that it has not seen', async () => {
    const task = await smallTask();
    const state = smallTraining(task, smallConfig({ 'training.epochs': 30 }));
    await trainEpochs(state);
    const data = await withCopies(task, 8);
    const extended = await extendTraining(tableMethod, state, data);
    const [before, after] = [state, extended.state].map(({ learner }) => learner.parameters);
    for (const name of before!.names()) {
      const values = valuesOf(before!.get(name));
      expect(valuesOf(after!.get(name)).slice(0, values.length)).toEqual(values);
    }
    expect([extended.state.epoch, extended.isolated.length]).toEqual([30, 0]);
    const added = data.left.slice(-8);
    const pairs = await alignAdded(extended.state, added);
    expect(pairs).toHaveLength(8);
    const goldOf = new Map<string, number>();
    for (let at = 0; at < task.split.test.length; at += 2) {
      goldOf.set(`new ${data.entityNames[task.split.test[at]!]}`, task.split.test[at + 1]!);
    }
    const isRight = pairs.filter(
      ({ source, target }) => goldOf.get(data.entityNames[source]!) === target,
    );
    expect(isRight.length).toBeGreaterThanOrEqual(3); // by chance: 8 / 20
    extended.state.dispose();
    state.dispose();
  });

  it('without added entities gives the same candidates', async () => {
    const task = await smallTask();
    const state = smallTraining(task, smallConfig({ 'training.epochs': 3 }));
    await trainEpochs(state);
    const extended = await extendTraining(tableMethod, state, {
      ...task.data,
      columnsOf: task.data,
    });
    const [one, other] = [await candidateTable(state), await candidateTable(extended.state)];
    expect(other).toEqual(one);
    expect(await alignAdded(extended.state, new Int32Array(0))).toEqual([]);
    extended.state.dispose();
    const leak = await expectNoLeak(async () => {
      const again = await extendTraining(tableMethod, state, {
        ...task.data,
        columnsOf: task.data,
      });
      again.state.dispose();
    });
    expect(leak).toBeUndefined();
    state.dispose();
  });
});

describe('candidates asked for by the second graph', () => {
  it('are those of the first one turned round', async () => {
    const task = await smallTask();
    const state = smallTraining(task, smallConfig({ 'training.epochs': 5, 'model.noise': 0 }));
    await trainEpochs(state);
    const forward = await candidateTable(state);
    const backward = await candidateTable(state, { side: 'target' });
    expect([...backward.sources]).toEqual([...forward.targets]);
    const best = Array.from(backward.sources, (_, row) => backward.indices[10 * row]!);
    const told = Array.from(forward.targets, (_, column) => forward.backwardIndices[2 * column]!);
    expect(best).toEqual(told);
    const target = forward.targets[3]!;
    const [pair] = await alignAdded(state, Int32Array.of(target));
    expect([pair!.source, pair!.target]).toEqual([forward.sources[best[3]!], target]);
    state.dispose();
  });
});
