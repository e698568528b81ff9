// Compares a run of the bench with what it must reach beside PyTorch in the same run:
// node packages/tensor/bench/gates.mjs [RESULT.json | --python PATH] [--backend tensorflow]
// Without a result it runs the bench, on wasm unless another backend is named. Prints the verdicts, and as its last line one JSON value;
// exit code 1 when one is not met.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const packageDir = fileURLToPath(new URL('../', import.meta.url));

/** The rows that a ratio needs; the bench must have measured them. */
function readRows({ rows }) {
  const own = (op) => rows.find((row) => row.op === op && row.backend !== 'pytorch');
  const peers = (op) => rows.filter((row) => row.op === op && row.backend === 'pytorch');
  const time = (op) => own(op)?.wallMs ?? Number.NaN;
  const peer = (op, form) =>
    Math.min(
      ...peers(op)
        .filter((row) => form === undefined || row.form === form)
        .map(({ wallMs }) => wallMs),
    );
  const rate = (op) => own(op)?.gflopPerSecond ?? Number.NaN;
  return { time, peer, rate, names: [...new Set(rows.map(({ op }) => op))] };
}

/** At most `gate` times PyTorch's wall time: its fastest form, or the named one. */
function besidePyTorch({ time, peer }, op, { gate, goal, form }) {
  const value = time(op) / peer(op, form);
  const of = form === undefined ? "PyTorch's fastest form" : `PyTorch's ${form} form`;
  return { name: `${op} by ${of}`, value, gate, goal, isMet: value > 0 && value <= gate };
}

function productGates({ time, rate, names }) {
  const share = rate('matmul-2048') / rate('peak-fma-128');
  const isOther = (name) => /^matmul-(2048|8x1024)-?/.test(name) && name !== 'matmul-2048';
  const others = names.filter(isOther).map((op) => {
    const value = time(op) / time('matmul-2048');
    return { name: `${op} by matmul-2048`, value, gate: 1.3, isMet: value <= 1.3 };
  });
  const name = 'matmul-2048 as a share of peak-fma-128';
  return [{ name, value: share, gate: 0.8, isFloor: true, isMet: share >= 0.8 }, ...others];
}

/** The demands on the backend tensorflow. */
function tensorflowVerdicts(found) {
  const beside = (op, limits) => besidePyTorch(found, op, limits);
  const microseconds = 1000 * found.time('small-add');
  const small = { name: 'small-add, microseconds', value: microseconds, gate: 5 };
  return [
    beside('csr-matmul-forward', { gate: 1, goal: 0.75 }),
    beside('csr-matmul-gradients', { gate: 0.8, goal: 0.6 }),
    beside('gat-layer-gradients', { gate: 0.5 }),
    beside('adamw-5m', { gate: 1.1 }),
    ...found.names.filter((op) => op.startsWith('matmul-')).map((op) => beside(op, { gate: 1.15 })),
    { ...small, isMet: microseconds <= small.gate },
  ];
}

/** Every demand on the speed with its value in this run. */
export function verdictsOf(result) {
  const found = readRows(result);
  if (result.backend.name === 'tensorflow') return tensorflowVerdicts(found);
  const beside = (op, limits) => besidePyTorch(found, op, limits);
  return [
    ...productGates(found),
    beside('matmul-2048', { gate: 4.3 }),
    beside('csr-matmul-forward', { gate: 1.6, goal: 1.2 }),
    beside('csr-matmul-gradients', { gate: 1.2, goal: 0.9 }),
    beside('gat-layer-gradients', { gate: 0.2, form: 'index_add' }),
    beside('gat-layer-gradients', { gate: 1 }),
    beside('adamw-5m', { gate: 2, goal: 1.2 }),
  ];
}

function runBench(python, backend) {
  const source = ['--conditions=@lab/source', '--import', 'tsx', 'src/cli.ts'];
  const only = '^(peak|matmul-(2048|8x1024|256)|csr|gat|adamw|small)';
  const flags = ['bench', '--backend', backend, '--only', only, '--python', python, '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...source, ...flags], {
    cwd: packageDir,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`the bench ended with ${status}: ${stderr.slice(-500)}`);
  return JSON.parse(stdout);
}

function verdictLine({ name, value, gate, goal, isFloor, isMet }) {
  const limit = `${isFloor ? 'at least' : 'at most'} ${gate}`;
  const wish = goal === undefined ? '' : `, goal ${goal}${value <= goal ? ' reached' : ''}`;
  const number = Number.isFinite(value) ? value.toFixed(2) : 'not measured';
  return `${isMet ? 'met    ' : 'NOT MET'}  ${number}  ${name} (${limit}${wish})\n`;
}

const { values, positionals } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    backend: { type: 'string', default: 'wasm' },
  },
  allowPositionals: true,
});
const [path] = positionals;
const result = path
  ? JSON.parse(readFileSync(path, 'utf8'))
  : runBench(values.python, values.backend);
const verdicts = verdictsOf(result);
for (const verdict of verdicts) process.stdout.write(verdictLine(verdict));
const { machine, node, pytorch, backend } = result;
const rounded = verdicts.map(({ value, ...rest }) => ({
  ...rest,
  value: Number.isFinite(value) ? Number(value.toFixed(3)) : null,
}));
process.stdout.write(
  `${JSON.stringify({
    ...{ isMet: verdicts.every(({ isMet }) => isMet), verdicts: rounded },
    ...{ machine, node, pytorch, backend: backend.name, threads: backend.threads },
  })}\n`,
);
if (verdicts.some(({ isMet }) => !isMet)) process.exitCode = 1;
