// Cost of an epoch at 30,000 entities beside the lean PyTorch form, both in one run, in turns:
// LAB_DATA=DIR node packages/ibmea/bench/cost.mjs [ROUNDS]. Needs python3 with torch and numpy.
// Epochs 2-4 of each round, no evaluation; prints one JSON line. Run it on an idle machine: threads
// of PyTorch spin while they wait.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const rounds = Number(process.argv[2] ?? 3);
const EPOCHS = 4;
const packageDir = fileURLToPath(new URL('../', import.meta.url));
const data = join(process.env.LAB_DATA ?? '', 'srprs15k/en_fr_15k_V1');
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const share = (rows, key) => Number(median(rows.map((row) => row[key])).toFixed(2));

/** Epochs 2-4 of our own training: `{ wall, cpu }` each, and the peak of the process. */
function ours() {
  const out = mkdtempSync(join(tmpdir(), 'ibmea-cost-'));
  const flags = ['--conditions=@lab/source', '--import', 'tsx', join(packageDir, 'src', 'cli.ts')];
  const settings = ['--mode', 'official', '--set', 'data.split=sha256', '--no-evaluate'];
  const command = ['train', '--data', data, ...settings, '--epochs', String(EPOCHS), '--quiet'];
  execFileSync(process.execPath, [...flags, ...command, '--out', out], { cwd: packageDir });
  const run = join(out, readdirSync(out)[0]);
  const lines = readFileSync(join(run, 'timings.jsonl'), 'utf8').trim().split('\n');
  const { usage } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));
  rmSync(out, { recursive: true });
  const epochs = lines.slice(1).map((line) => JSON.parse(line));
  return {
    epochs: epochs.map(({ seconds, cpuSeconds }) => ({ wall: seconds, cpu: cpuSeconds })),
    peakBytes: usage.peakProcessBytes,
  };
}

/** The same of the lean PyTorch form. */
function lean() {
  const script = join(packageDir, 'bench', 'reference', 'lean_ibmea.py');
  const command = [script, '--data', data, '--epochs', String(EPOCHS), '--threads', '2'];
  const result = spawnSync('python3', command, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.status !== 0) throw new Error(`lean_ibmea.py failed: ${result.stderr.slice(-500)}`);
  const found = JSON.parse(result.stdout.trim().split('\n').at(-1));
  const epochs = found.epochs.slice(1);
  return {
    epochs: epochs.map(({ wallSeconds, cpuSeconds }) => ({ wall: wallSeconds, cpu: cpuSeconds })),
    peakBytes: found.trainingPeakRssBytes ?? found.peakRssBytes,
    torch: found.torch,
  };
}

const results = { ours: [], lean: [] };
const peaks = { ours: 0, lean: 0 };
let torch = '';
for (let round = 0; round < rounds; round += 1) {
  for (const [name, measure] of [
    ['ours', ours],
    ['lean', lean],
  ]) {
    const found = measure();
    results[name].push(...found.epochs);
    peaks[name] = Math.max(peaks[name], found.peakBytes);
    torch = found.torch ?? torch;
    process.stderr.write(`${name} ${JSON.stringify(found.epochs)}\n`);
  }
}
const summary = (name) => ({
  cpuSeconds: share(results[name], 'cpu'),
  wallSeconds: share(results[name], 'wall'),
  peakBytes: peaks[name],
});
const [a, b] = [summary('ours'), summary('lean')];
process.stdout.write(
  `${JSON.stringify({
    ours: a,
    leanPyTorch: { ...b, torch, threads: 2 },
    cpuRatio: Number((a.cpuSeconds / b.cpuSeconds).toFixed(2)),
    wallRatio: Number((a.wallSeconds / b.wallSeconds).toFixed(2)),
    gate: { cpuRatio: 1.7, peakBytes: 3e9 },
    rounds,
    loadAtEnd: loadavg()[0],
    processor: `${cpus().length} x ${cpus()[0].model}`,
  })}\n`,
);
if (a.cpuSeconds / b.cpuSeconds > 1.7 || a.peakBytes > 3e9) process.exitCode = 1;
