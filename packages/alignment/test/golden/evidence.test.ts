import '@lab/core/testing';
import { readFileSync } from 'node:fs';
import { HostRows, selectBackend } from '@lab/tensor';
import { beforeAll, expect, it } from 'vitest';
import { weighEvidence } from '../../src/evidence/evidence.js';
import { createEdgeCounter } from '../../src/evidence/kept-edges.js';
import { unionPattern } from '../../src/evidence/pair-pattern.js';
import { evidenceValues, mutualBest, pairScores } from '../../src/evidence/pair-scores.js';
import { standardScores } from '../../src/evidence/standard-scores.js';
import { chooseThresholds } from '../../src/evidence/thresholds.js';

interface Golden {
  readonly k: number;
  readonly input: {
    readonly left: number[];
    readonly right: number[];
    readonly seeds: [number, number][];
    readonly edgesLeft: [number, number][];
    readonly edgesRight: [number, number][];
    readonly cosines: number[][][];
  };
  readonly output: {
    readonly standardScores: number[][][];
    readonly startScore: number[][];
    readonly chosen: number[];
    readonly keptEdges: number;
    readonly trace: number[];
    readonly score: number[][];
    readonly mutualPairs: [number, number][];
  };
}

const golden = JSON.parse(
  readFileSync(new URL('data/evidence.json', import.meta.url), 'utf8'),
) as Golden;
const { input, output, k } = golden;
const size = input.left.length;

/** Float32 cosines against float64 ones of six digits. */
const near = { atol: 2e-5, rtol: 2e-5 };

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Rows whose products are the given cosines: unit vectors on the left. */
function rowsOf(cosines: readonly number[][]) {
  const left = new Float32Array(size * size);
  for (let row = 0; row < size; row += 1) left[row * size + row] = 1;
  const right = Float32Array.from({ length: size * size }, (_, at) => {
    return cosines[at % size]![Math.floor(at / size)]!;
  });
  const sides = { left: new HostRows(size, size, left), right: new HostRows(size, size, right) };
  return { ...sides, dispose: () => {} };
}

const edges = [...input.edgesLeft, ...input.edgesRight];
const isLeft = (entity: number) => entity < 18;
const data = {
  entityCount: 36,
  triples: {
    heads: Int32Array.from(edges, ([head]) => head),
    relations: new Int32Array(edges.length),
    tails: Int32Array.from(edges, ([, tail]) => tail),
  },
  left: Int32Array.from({ length: 18 }, (_, at) => at),
  sides: Uint8Array.from({ length: 36 }, (_, at) => (isLeft(at) ? 1 : 2)),
};
const every = Int32Array.from({ length: size * size }, (_, at) => at % size);
const pattern = unionPattern([{ forward: { indices: every }, backward: { indices: every } }], {
  ...{ rowCount: size, columnCount: size },
});

/** Best of each line with its values, `[size, size]`. */
function sorted(cosines: readonly number[][]) {
  const scores = cosines.flatMap((line) => line.toSorted((a, b) => b - a));
  return { indices: every, scores: Float32Array.from(scores) };
}

const turned = (matrix: readonly number[][]) =>
  matrix.map((_, column) => matrix.map((line) => line[column]!));

async function standard(): Promise<Float32Array[]> {
  const found: Float32Array[] = [];
  for (const cosines of input.cosines) {
    const lists = { forward: sorted(cosines), backward: sorted(turned(cosines)) };
    const flat = Float32Array.from(cosines.flat());
    const given = { pattern, cosines: flat, lists, k };
    found.push((await standardScores(rowsOf(cosines), given)).values);
  }
  return found;
}

it('standard scores and scores at the start are those of the reference', async () => {
  const z = await standard();
  z.forEach((values, kind) => expect(values).toBeClose(output.standardScores[kind]!.flat(), near));
  const kinds = z.map(evidenceValues);
  const start = pairScores(pattern, kinds, { thresholds: [2, 2, 2], k }).scores;
  expect(start).toBeClose(output.startScore.flat(), near);
  expect(pairScores(pattern, kinds, { thresholds: output.chosen, k }).scores).toBeClose(
    output.score.flat(),
    near,
  );
});

it('every trial keeps as many edges as in the reference', async () => {
  const kinds = (await standard()).map(evidenceValues);
  const counter = createEdgeCounter(data as never);
  const trace: number[] = [];
  const chosen = await chooseThresholds(3, (thresholds) => {
    const partners = new Int32Array(36).fill(-1);
    for (const [one, other] of input.seeds) partners[one] = other;
    for (const pair of mutualBest(pattern, pairScores(pattern, kinds, { thresholds, k }).scores)) {
      partners[input.left[pattern.rows[pair]!]!] = input.right[pattern.columns[pair]!]!;
    }
    trace.push(counter.keptBy(partners));
    return trace.at(-1)!;
  });
  expect(trace).toEqual(output.trace);
  expect(chosen.thresholds).toEqual(output.chosen);
  expect(chosen.value).toBe(output.keptEdges);
});

it('the whole procedure, from rows, ends in the same scores and mutual pairs', async () => {
  const experts = input.cosines.map((cosines, kind) => ({
    ...{ name: `kind ${kind}`, rows: rowsOf(cosines) },
  }));
  const found = await weighEvidence({
    ...{ experts, data: data as never, cslsNeighbours: k },
    left: Int32Array.from(input.left),
    right: Int32Array.from(input.right),
    seeds: Int32Array.from(input.seeds.flat()),
  });
  expect(Object.values(found.thresholds)).toEqual(output.chosen);
  // The package divides its scores by 40.
  expect(found.scores.map((score) => 40 * score)).toBeClose(output.score.flat(), near);
  expect(40 * found.scoreOf(3, 7)).toBeCloseTo(output.score[3]![7]!, 4);
  const pairs = Array.from(mutualBest(found.pattern, found.scores), (pair) => [
    input.left[found.pattern.rows[pair]!],
    input.right[found.pattern.columns[pair]!],
  ]);
  expect(pairs).toEqual(output.mutualPairs);
});
