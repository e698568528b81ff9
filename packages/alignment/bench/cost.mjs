// Cost of an epoch at 30,000 entities beside the lean PyTorch form, both in one run, in turns. A
// method's bench/cost.mjs calls `compareCost`: LAB_DATA=DIR node packages/METHOD/bench/cost.mjs
// [ROUNDS] [BACKEND]; the default backend is wasm. Needs python3 with torch and numpy. Epochs 2-4
// of each round, no evaluation; prints one JSON line. Ours runs as it is installed, built first: the loader of TypeScript alone
// takes 50 MB. Run it on an idle machine: threads of PyTorch spin while they wait.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const EPOCHS = 4;
const backend = process.argv[3] ?? 'wasm';
/** Largest ratio of wall times where the backend has a gate of its own. */
const wallGates = { tensorflow: 0.7 };
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const share = (rows, key) => Number(median(rows.map((row) => row[key])).toFixed(2));

/** Epochs 2-4 of our own training: `{ wall, cpu }` each, and the peak of the process. */
function ours({ packageDir, settings }, data) {
  const out = mkdtempSync(join(tmpdir(), 'lab-cost-'));
  const program = join(packageDir, 'bin', `${basename(packageDir)}.js`);
  const common = ['--set', 'data.split=sha256', '--no-evaluate', '--epochs', String(EPOCHS)];
  const chosen = ['--backend', backend, '--quiet'];
  const command = ['train', '--data', data, ...settings, ...common, ...chosen];
  execFileSync(process.execPath, [program, ...command, '--out', out], { cwd: packageDir });
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
function lean({ packageDir, leanForm, leanFlags }, data) {
  const script = join(packageDir, 'bench', 'reference', leanForm);
  const common = ['--data', data, '--epochs', String(EPOCHS), '--threads', '2'];
  const command = [script, ...common, ...leanFlags];
  const result = spawnSync('python3', command, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.status !== 0) throw new Error(`${leanForm} failed: ${result.stderr.slice(-500)}`);
  const found = JSON.parse(result.stdout.trim().split('\n').at(-1));
  const epochs = found.epochs.slice(1);
  return {
    epochs: epochs.map(({ wallSeconds, cpuSeconds }) => ({ wall: wallSeconds, cpu: cpuSeconds })),
    peakBytes: found.trainingPeakRssBytes ?? found.peakRssBytes,
    torch: found.torch,
  };
}

/**
 * Prints costs and ratios, and fails beyond a gate.
 *
 * @param form - `packageDir`, `settings` of the training, `leanForm` in bench/reference with its
 *   `leanFlags`, and `gate`: largest `cpuRatio`, `wallRatio` and `peakBytes`.
 */
export function compareCost(form) {
  const rounds = Number(process.argv[2] ?? 3);
  const filter = `--filter=@lab/${basename(form.packageDir)}`;
  execFileSync('pnpm', ['exec', 'turbo', 'run', 'build', filter], { stdio: 'ignore' });
  const data = join(process.env.LAB_DATA ?? '', 'srprs15k/en_fr_15k_V1');
  const results = { ours: [], lean: [] };
  const peaks = { ours: 0, lean: 0 };
  let torch = '';
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, measure] of Object.entries({ ours, lean })) {
      const found = measure(form, data);
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
  const ratio = (key) => Number((a[key] / b[key]).toFixed(2));
  const found = {
    cpuRatio: ratio('cpuSeconds'),
    wallRatio: ratio('wallSeconds'),
    peakBytes: a.peakBytes,
  };
  const { cpuRatio, wallRatio } = found;
  const gate = { ...form.gate, ...(wallGates[backend] && { wallRatio: wallGates[backend] }) };
  process.stdout.write(
    `${JSON.stringify({
      ours: a,
      leanPyTorch: { ...b, torch, threads: 2 },
      cpuRatio,
      wallRatio,
      ...{ gate, rounds, backend },
      loadAtEnd: loadavg()[0],
      processor: `${cpus().length} x ${cpus()[0].model}`,
    })}\n`,
  );
  if (Object.entries(gate).some(([key, most]) => found[key] > most)) process.exitCode = 1;
}
