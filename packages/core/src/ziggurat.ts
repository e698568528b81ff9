import { portableExp, portableLog } from './portable-math.js';
import { nextBits, unitInterval, type XoshiroState } from './xoshiro.js';

/** Layers of the normal ziggurat. */
interface ZigguratTables {
  /** Right edge of each layer, widest first; `edges[256]` is 0. */
  readonly edges: Float64Array;
  /** Density `exp(-x^2 / 2)` at each edge. */
  readonly heights: Float64Array;
}

const layerCount = 256;
const tailStart = 3.6541528853610088;
const layerArea = 4.92867323399e-3;

/**
 * The tables of the normal ziggurat with 256 layers of equal area.
 *
 * Source: Marsaglia & Tsang, "The ziggurat method for generating random variables" (2000).
 */
const { edges: layerEdges, heights: layerHeights }: ZigguratTables = buildTables();

function buildTables(): ZigguratTables {
  const edges = new Float64Array(layerCount + 1);
  const heights = new Float64Array(layerCount + 1);
  let height = portableExp(-0.5 * tailStart * tailStart);
  edges[0] = layerArea / height; // the base layer stands for rectangle and tail together
  edges[1] = tailStart;
  heights[0] = 0;
  heights[1] = height;
  for (let layer = 2; layer < layerCount; layer += 1) {
    height += layerArea / edges[layer - 1]!;
    edges[layer] = Math.sqrt(-2 * portableLog(height));
    heights[layer] = height;
  }
  edges[layerCount] = 0;
  heights[layerCount] = 1;
  return { edges, heights };
}

/**
 * A standard normal number, position of 52 bits.
 *
 * Source: Marsaglia & Tsang (2000) as above, with bits of its own for the layer, as Doornik, "An
 * improved ziggurat method to generate normal random samples" (2005), asks.
 */
export function ziggurat(state: XoshiroState): number {
  for (;;) {
    const first = nextBits(state);
    const position = (first >> 8) * 2 ** -23 + (nextBits(state) >>> 3) * 2 ** -52; // in [-1, 1)
    const x = accept(state, first & 255, position);
    if (!Number.isNaN(x)) return x;
  }
}

/** Fills with standard normal numbers; positions of 24 bits are what 32-bit floats can hold. */
export function fillZiggurat(state: XoshiroState, out: Float32Array): void {
  let [a, b, c, d] = [state[0]!, state[1]!, state[2]!, state[3]!];
  for (let i = 0; i < out.length; i += 1) {
    const product = Math.imul(b, 5);
    const bits = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    const layer = bits & 255;
    const position = (bits >> 8) * 2 ** -23;
    const x = position * layerEdges[layer]!;
    if (x < layerEdges[layer + 1]! && -x < layerEdges[layer + 1]!) {
      out[i] = x;
      continue;
    }
    state.set([a, b, c, d]);
    const rare = accept(state, layer, position);
    out[i] = Number.isNaN(rare) ? ziggurat(state) : rare;
    [a, b, c, d] = [state[0]!, state[1]!, state[2]!, state[3]!];
  }
  state.set([a, b, c, d]);
}

/** The number at a position in [-1, 1) of a layer, or NaN when it is rejected. */
function accept(state: XoshiroState, layer: number, position: number): number {
  const x = position * layerEdges[layer]!;
  if (Math.abs(x) < layerEdges[layer + 1]!) return x;
  if (layer === 0) return tail(state, position < 0);
  const low = layerHeights[layer]!;
  const high = layerHeights[layer + 1]!;
  return low + unitInterval(state) * (high - low) < portableExp(-0.5 * x * x) ? x : Number.NaN;
}

function tail(state: XoshiroState, isNegative: boolean): number {
  for (;;) {
    const x = -portableLog(1 - unitInterval(state)) / tailStart;
    const y = -portableLog(1 - unitInterval(state));
    if (2 * y > x * x) return isNegative ? -(tailStart + x) : tailStart + x;
  }
}
