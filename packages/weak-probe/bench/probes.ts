// Probes of some states beside scikit-learn, on the same rows and the same cores, in one run:
//   node --conditions=@lab/source --import tsx bench/probes.ts [WIDTH] [STATES] [CORES]
// Rows are like hidden states: 500 of each class, a few features far larger than the others,
// classes apart along directions that get longer with the state. Needs python3 with scikit-learn.
// Prints one JSON line; fails where labels of the machines differ on more than one row in a
// thousand, or a machine and its five folds take longer than scikit-learn's.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, resolveConfig } from '@lab/core';
import { writeNpy } from '@lab/tensor/io';
import { weakProbeConfig } from '../src/config.js';
import { shareSamples } from '../src/probe-input.js';
import { predictRows } from '../src/probe-predictions.js';
import { fitProbe, type ProbeKind, trainingRows } from '../src/probes.js';
import { makeSplits, officialSplit } from '../src/split.js';

const [width = 896, stateCount = 3, cores = 2] = process.argv.slice(2).map(Number);
const rowCount = 1000;
const classes = ['normal', 'harmful'];
const labels = Int32Array.from({ length: rowCount }, (_, row) => (row < rowCount / 2 ? 0 : 1));
const { config } = resolveConfig(weakProbeConfig, { mode: 'official' });

/** Rows `[1000, width]` of a state: the later, the farther apart the classes. */
function drawState(state: number): Float32Array {
  const random = createRandom(7).fork(`state/${state}`);
  const values = random.fillNormal(new Float32Array(rowCount * width));
  const direction = random.fillNormal(
    new Float32Array(width),
    0,
    (0.6 * (state + 1)) / Math.sqrt(width),
  );
  for (let row = 0; row < rowCount; row += 1) {
    for (let d = 0; d < width; d += 1) {
      const at = row * width + d;
      const loud = d % 211 === 5 ? 30 : 1;
      values[at] =
        loud * (values[at]! + (labels[row] === 1 ? 3 : -3) * direction[d]! + (loud > 1 ? 2 : 0));
    }
  }
  return values;
}

const secondsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

const split = officialSplit(rowCount, { testShare: 0.3, seed: 42 });
const folds = makeSplits({ labels, classes }, { ...config.split, folds: 5, seed: 42 });
const accuracyOf = (predicted: ArrayLike<number>) =>
  Array.from(split.test).filter((row, at) => predicted[at] === labels[row]).length /
  split.test.length;

async function explain(values: Float32Array) {
  const rows = { rowCount, columnCount: width, values };
  const fit = (kind: ProbeKind) => {
    const samples = shareSamples({ rows, labels });
    return fitProbe(kind, trainingRows(samples, classes, split.train), { settings: config });
  };
  const predictedBy = async (kind: ProbeKind) => {
    const probe = await fit(kind);
    return probe.predict(probe.margins(split.test));
  };
  let svm: Int32Array = new Int32Array();
  let mlp: Int32Array = new Int32Array();
  const seconds = {
    svm: await secondsOf(async () => (svm = await predictedBy('svm'))),
    mlp: await secondsOf(async () => (mlp = await predictedBy('mlp'))),
    folds: await secondsOf(async () => {
      const samples = shareSamples({ rows, labels });
      for (const { train, test } of folds) {
        const given = trainingRows(samples, classes, train);
        const probe = await fitProbe('svm', given, { settings: config });
        predictRows(probe, test, samples);
      }
    }),
  };
  return { seconds, svm, mlp };
}

interface Peer {
  readonly seconds: Record<'folds' | 'mlp' | 'svm', number>;
  readonly svm: number[];
  readonly mlp: number[];
}

const folder = mkdtempSync(join(tmpdir(), 'lab-probes-'));
try {
  const states = Array.from({ length: stateCount }, (_, state) => drawState(state));
  for (const [state, values] of states.entries()) {
    await writeNpy(join(folder, `${state}.npy`), { shape: [rowCount, width], data: values });
  }
  const parts = { train: Array.from(split.train), test: Array.from(split.test) };
  const foldParts = folds.map(({ train, test }) => ({
    train: Array.from(train),
    test: Array.from(test),
  }));
  writeFileSync(join(folder, 'splits.json'), JSON.stringify({ ...parts, folds: foldParts }));
  await explain(states[0]!); // the engine compiles what is used often
  const ours = [];
  for (const values of states) ours.push(await explain(values));
  const limits = { OMP_NUM_THREADS: String(cores), OPENBLAS_NUM_THREADS: String(cores) };
  const peer = spawnSync('python3', [join(import.meta.dirname, 'probes.py'), folder], {
    ...{ encoding: 'utf8', env: { ...process.env, ...limits } },
    maxBuffer: 2 ** 28,
  });
  if (peer.status !== 0) throw new Error(peer.stderr);
  const theirs = JSON.parse(peer.stdout) as Peer[];
  report(ours, theirs);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

type Ours = Awaited<ReturnType<typeof explain>>;

function report(ours: readonly Ours[], theirs: readonly Peer[]): void {
  const total = (sides: readonly Pick<Peer, 'seconds'>[], key: keyof Peer['seconds']) =>
    Number(sides.reduce((sum, { seconds }) => sum + seconds[key], 0).toFixed(2));
  const keys = ['svm', 'folds', 'mlp'] as const;
  const seconds = Object.fromEntries(
    keys.map((key) => [key, { ours: total(ours, key), sklearn: total(theirs, key) }]),
  );
  const differing = ours.reduce(
    (sum, { svm }, state) =>
      sum + svm.filter((label, at) => label !== theirs[state]!.svm[at]).length,
    0,
  );
  const accuracies = ours.map(({ svm, mlp }, state) => ({
    svm: [accuracyOf(svm), accuracyOf(theirs[state]!.svm)],
    mlp: [accuracyOf(mlp), accuracyOf(theirs[state]!.mlp)],
  }));
  const testRows = split.test.length * ours.length;
  process.stdout.write(
    `${JSON.stringify({ width, stateCount, cores, seconds, differing, testRows, accuracies })}\n`,
  );
  const machines = (side: 'ours' | 'sklearn') => seconds['svm']![side] + seconds['folds']![side];
  const isSlow = machines('ours') > machines('sklearn');
  if (differing > testRows / 1000 || isSlow) process.exitCode = 1;
}
