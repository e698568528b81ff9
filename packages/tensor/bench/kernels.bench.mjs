// CPU time of the kernels at sizes that users meet, one thread:
// `node --import tsx --conditions=@lab/source bench/kernels.bench.mjs`
import {
  createCsr,
  csrMatMul,
  dropout,
  gatherRows,
  graphAttention,
  l2NormalizeRows,
  layerNorm,
  memoryReport,
  segmentSum,
  selectBackend,
  tf,
} from '@lab/tensor';
import { adamwInPlace } from '../src/kernels/adamw.ts';

const NODES = 15_000;
const EDGES = 200_000;
const WIDTH = 300;

function cpuMilliseconds(body) {
  const before = process.cpuUsage();
  tf.tidy(() => void body());
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Best of several runs after one that warms up. */
function measure(name, body, work) {
  cpuMilliseconds(body);
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 7; run++) best = Math.min(best, cpuMilliseconds(body));
  const rate = work === undefined ? '' : `${(work / best / 1e6).toFixed(1).padStart(8)} GFLOP/s`;
  process.stdout.write(`${name.padEnd(44)}${best.toFixed(2).padStart(9)} ms${rate}\n`);
}

/** Deterministic edges, sorted by row. */
function randomPattern() {
  let state = 1;
  const next = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const counts = new Int32Array(NODES + 1);
  for (let e = 0; e < EDGES; e++) counts[next(NODES) + 1]++;
  for (let i = 0; i < NODES; i++) counts[i + 1] += counts[i];
  const columns = Int32Array.from({ length: EDGES }, () => next(NODES));
  return { rowCount: NODES, columnCount: NODES, rowPointers: counts, columns };
}

function measureProducts() {
  for (const n of [1024, 2048]) {
    const [a, b] = [tf.randomNormal([n, n]), tf.randomNormal([n, n])];
    measure(`product ${n}`, () => tf.matMul(a, b), 2 * n ** 3);
    measure(`product ${n}, b transposed`, () => tf.matMul(a, b, false, true), 2 * n ** 3);
    tf.dispose([a, b]);
  }
  const x = tf.randomNormal([30_000, WIDTH]);
  const work = 2 * 30_000 * WIDTH * WIDTH;
  const [w, narrow] = [tf.randomNormal([WIDTH, WIDTH]), tf.randomNormal([WIDTH, 2])];
  measure('[30000, 300] x [300, 300]', () => tf.matMul(x, w), work);
  measure('[30000, 300] x [300, 2]', () => tf.matMul(x, narrow));
  measure('its transpose with [30000, 2]', () => tf.matMul(x, tf.matMul(x, narrow), true));
  const [q, k] = [tf.randomNormal([12, 256, 64]), tf.randomNormal([12, 64, 256])];
  measure('batch [12, 256, 64] x [12, 64, 256]', () => tf.matMul(q, k), 2 * 12 * 256 * 64 * 256);
  tf.dispose([x, w, narrow, q, k]);
}

function measureSparse(csr, rows, x) {
  const values = tf.randomUniform([csr.entryCount]);
  measure('csrMatMul', () => csrMatMul(csr, x, values));
  const loss = (t, v) => tf.sum(csrMatMul(csr, t, v));
  measure('csrMatMul and both gradients', () => tf.grads(loss)([x, values]));
  measure('gatherRows 200k x 300', () => gatherRows(x, csr.columns));
  const messages = tf.randomNormal([EDGES, WIDTH]);
  measure('segmentSum 200k x 300', () => segmentSum(messages, rows, NODES));
  tf.dispose([values, messages]);
}

function measureAttention(csr, x) {
  const scores = [tf.randomNormal([NODES, 2]), tf.randomNormal([NODES, 2])];
  const weights = tf.randomNormal([2, WIDTH]);
  const attend = (features, targetScores, sourceScores, headWeights) =>
    graphAttention({
      ...{ features, targetScores, sourceScores, headWeights, csr },
      ...{ positiveSlope: 1, negativeSlope: 0.2 },
    });
  measure('graphAttention, 2 heads', () => attend(x, ...scores, weights));
  const loss = (...inputs) => tf.sum(attend(...inputs));
  measure('graphAttention and all gradients', () => tf.grads(loss)([x, ...scores, weights]));
  tf.dispose([scores, weights]);
}

function measureRows(x) {
  const [gain, bias] = [tf.ones([WIDTH]), tf.zeros([WIDTH])];
  measure('layerNorm and gradients', () =>
    tf.grads((t, g, b) => tf.sum(layerNorm(t, g, b)))([x, gain, bias]),
  );
  measure('l2NormalizeRows and gradient', () => tf.grad((t) => tf.sum(l2NormalizeRows(t)))(x));
  measure('dropout and gradient', () => tf.grad((t) => tf.sum(dropout(t, 0.5, 7)))(x));
  measure('sum over axis 0', () => tf.sum(x, 0));
  measure('sum over axis 1', () => tf.sum(x, 1));
  for (const name of ['exp', 'elu', 'relu', 'sigmoid', 'tanh', 'softplus', 'sqrt', 'square']) {
    measure(name, () => tf[name](x));
  }
  measure('add', () => tf.add(x, x));
  measure('mul by a row', () => tf.mul(x, gain));
  measure('mul by a column', () => tf.mul(x, tf.ones([NODES, 1])));
  measure('mul by a scalar', () => tf.mul(x, 2));
  measure('transpose', () => tf.transpose(x));
  measure('concat 3 on axis 1', () => tf.concat([x, x, x], 1));
  measure('slice half of axis 1', () => tf.slice(x, [0, 0], [-1, 150]));
  measure('softmax', () => tf.softmax(x));
}

function measureAdamW() {
  const size = 5_000_000;
  const [parameter, gradient, first, second] = [0, 1, 2, 3].map(() => tf.zeros([size]));
  const rates = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.99 };
  measure('AdamW, 5M parameters', () => {
    adamwInPlace(
      { parameter, gradient, first, second },
      { ...rates, stepSize: 0.001, secondCorrection: 0.5 },
    );
  });
}

const report = await selectBackend('wasm');
process.stdout.write(`wasm, ${report.simd} SIMD, ${NODES} nodes, ${EDGES} edges, width ${WIDTH}\n`);
measureProducts();
const csr = createCsr(randomPattern());
const features = tf.randomNormal([NODES, WIDTH]);
measureSparse(csr, csr.rows, features);
measureAttention(csr, features);
measureRows(features);
measureAdamW();
process.stdout.write(`peak ${(memoryReport().peakHeapBytes / 2 ** 20).toFixed(0)} MiB\n`);
