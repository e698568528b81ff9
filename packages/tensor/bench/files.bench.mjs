// CPU time of the file readers, checkpoints and linear algebra at sizes that users meet:
// `node --import tsx --conditions=@lab/source bench/files.bench.mjs`
// Needs 2 GB of free disk in the temporary folder and 3 GB of memory.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { readCheckpoint, readNpz, readPickle, writeCheckpoint, writeNpy } from '@lab/tensor/io';
import { eigh, svd } from '@lab/tensor/linalg';
import { zipSync } from 'fflate';
import { readFileSync } from 'node:fs';

const IMAGES = 15_000;
const WIDTH = 4096;
const folder = mkdtempSync(join(tmpdir(), 'lab-bench-'));
const random = createRandom(1);

async function measure(name, body) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await body();
  const wall = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    `${name.padEnd(52)} ${((user + system) / 1e6).toFixed(2)} CPU-s ${wall.toFixed(2)} s`,
  );
}

const prefixed = (opcode, bytes) => {
  const head = Buffer.alloc(5, opcode);
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
};

/** One entry of a dict of images, as NumPy pickles it in protocol 3, or 2 with bytes as text. */
function imageItem(key, numbers, protocol) {
  const raw = Buffer.from(numbers.buffer);
  const name = numbers instanceof Float64Array ? 'f8' : 'f4';
  const data =
    protocol === 3
      ? prefixed('B', raw)
      : Buffer.concat([
          Buffer.from('c_codecs\nencode\n'),
          prefixed('X', Buffer.from(raw.toString('latin1'), 'utf8')),
          Buffer.from('X\x06\0\0\0latin1\x86R', 'latin1'),
        ]);
  const head = Buffer.from('J\0\0\0\0cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n');
  head.writeInt32LE(key, 1);
  const state = `K\0\x85C\x01b\x87R(K\x01M\0\x10\x85cnumpy\ndtype\nX\x02\0\0\0${name}\x89\x88\x87R`;
  const order = '(K\x03X\x01\0\0\0<NNNK\0K\0K\0tb\x89';
  return Buffer.concat([head, Buffer.from(state + order, 'latin1'), data, Buffer.from('tb')]);
}

function writeImages(path, Numbers, protocol) {
  writeFileSync(path, Buffer.from([0x80, protocol, 0x7d, 0x28]));
  for (let first = 0; first < IMAGES; first += 500) {
    const items = Array.from({ length: 500 }, (_, i) => {
      const numbers = Numbers.from(random.fillNormal(new Float32Array(WIDTH)));
      return imageItem(first + i, numbers, protocol);
    });
    appendFileSync(path, Buffer.concat(items));
  }
  appendFileSync(path, 'u.');
}

async function benchReaders() {
  const cases = [
    ['pickle, 15,000 x 4096 float32, protocol 3', Float32Array, 3],
    ['pickle, 15,000 x 4096 float32, protocol 2', Float32Array, 2],
    ['pickle, 15,000 x 4096 float64, protocol 3', Float64Array, 3],
  ];
  const path = join(folder, 'images');
  for (const [name, Numbers, protocol] of cases) {
    writeImages(path, Numbers, protocol);
    await measure(name, () => readPickle(path));
  }
  const data = random.fillNormal(new Float32Array(IMAGES * WIDTH));
  await writeNpy(path, { shape: [IMAGES, WIDTH], data });
  writeFileSync(path, zipSync({ 'images.npy': readFileSync(path) }, { level: 1 }));
  await measure('npz, deflated, 15,000 x 4096 float32', () => readNpz(path));
  rmSync(path);
}

async function benchCheckpoint() {
  const dir = join(folder, 'checkpoint');
  const tensors = {};
  for (let i = 0; i < 25; i += 1) {
    tensors[`tensor ${i}`] = { shape: [1e7], data: new Float32Array(1e7).fill(i) };
  }
  await measure('checkpoint of 1 GB, write', () => writeCheckpoint(dir, { tensors, meta: null }));
  await measure('checkpoint of 1 GB, read', () => readCheckpoint(dir));
}

async function benchLinearAlgebra() {
  const matrix = (rows, columns) => ({
    rows,
    columns,
    data: random.fillNormal(new Float32Array(rows * columns)),
  });
  for (const [rows, columns] of [
    [200, 200],
    [2000, 128],
    [512, 512],
  ]) {
    await measure(`svd ${rows} x ${columns}`, () => svd(matrix(rows, columns)));
  }
  for (const size of [200, 512]) {
    const { data } = matrix(size, size);
    const symmetric = data.map((_, at) => {
      const [i, j] = [Math.floor(at / size), at % size];
      return data[i * size + j] + data[j * size + i];
    });
    const input = { rows: size, columns: size, data: symmetric };
    await measure(`eigh ${size}`, () => eigh(input));
  }
}

try {
  await benchReaders();
  await benchCheckpoint();
  await benchLinearAlgebra();
} finally {
  rmSync(folder, { recursive: true });
}
