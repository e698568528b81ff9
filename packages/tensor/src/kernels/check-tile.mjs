// @ts-check
// `node check-tile.mjs MODULE`, the tile's module in base64: prints as JSON whether its code for
// wide vectors gives the bits of the other, and how many times as fast it is. It is a process of
// its own because an engine that fails ends the process.
import { named, optimiseTile, TILE_BYTES } from './wide-tile.mjs';

const LENGTHS = [...Array.from({ length: 18 }, (_, length) => length), 37, 100, 300, 384];
/** Floats from one row of the result to the next, and from a multiple of 16 bytes to a panel. */
const ROWS = [8, 9, 13, 300];
const SHIFTS = [0, 1, 2, 3];
const RESULT = 2048;

const bytes = Buffer.from(process.argv[2] ?? '', 'base64');
const memory = new WebAssembly.Memory({ initial: 3, maximum: 65536, shared: true });
const floats = new Float32Array(memory.buffer, 65536);
const words = new Int32Array(memory.buffer, 65536);
const place = (/** @type {number} */ float) => 65536 + 4 * float;
const from = { a: 0, b: 4096, c: 8192 };

/** The tile of a module with code of its own, optimised. */
function optimised(/** @type {Uint8Array} */ source, /** @type {boolean} */ isWide) {
  const module = new WebAssembly.Module(source);
  const { tile } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  optimiseTile(/** @type {any} */ (tile), 0, isWide);
  return /** @type {(...values: number[]) => void} */ (tile);
}

let state = 1;
/** A float of either sign from 1e-40 to 1e15, most near 1 and some 0, by xorshift. */
function draw() {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  if ((state & 31) === 7) return state < 0 ? -0 : 0;
  const exponent = (state & 15) === 0 ? ((state >>> 4) % 56) - 40 : 0;
  return (state / 2 ** 31) * 10 ** exponent;
}

/** Arguments of the tile: every length and layout, with and without what is there already. */
const CALLS = LENGTHS.flatMap((steps) =>
  ROWS.flatMap((rows) =>
    SHIFTS.flatMap((shift) =>
      [0, 1].map((accumulate) => {
        const [a, b, c] = [from.a, from.b, from.c].map((start) => place(start + shift));
        return [steps, a, b, c, rows, accumulate];
      }),
    ),
  ),
);

/** The bits around the result of one call on the given values. */
function bitsOf(/** @type {Function} */ tile, /** @type {Float32Array} */ given, call) {
  floats.set(given);
  tile(...call);
  return words.slice(from.c - 64, from.c + RESULT + 64);
}

function isSame(/** @type {Function} */ narrow, /** @type {Function} */ wide) {
  const given = Float32Array.from({ length: from.c + RESULT + 64 }, draw);
  return CALLS.every((call) => {
    const expected = bitsOf(narrow, given, call);
    return bitsOf(wide, given, call).every((word, at) => word === expected[at]);
  });
}

/** Shortest time of some calls, ms. */
function timeOf(/** @type {Function} */ tile) {
  let best = Infinity;
  for (let round = 0; round < 20; round += 1) {
    const start = performance.now();
    for (let call = 0; call < 100; call += 1) tile(384, place(0), place(4096), place(8192), 8, 0);
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

if (TILE_BYTES > 65536) throw new Error('The region of the tile reaches into the values.');
const narrow = optimised(bytes, false);
const wide = optimised(named(bytes), true);
const same = isSame(narrow, wide);
floats.fill(1);
const ratio = timeOf(narrow) / timeOf(wide);
process.stdout.write(JSON.stringify({ same, ratio: Number(ratio.toFixed(2)) }));
