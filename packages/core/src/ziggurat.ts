import { portableExp, portableLog } from './portable-math.js';

/** Layers of the normal ziggurat; see {@link zigguratTables}. */
export interface ZigguratTables {
  /** Right edge of each layer, widest first; `edges[256]` is 0. */
  readonly edges: Float64Array;
  /** Density `exp(-x^2 / 2)` at each edge. */
  readonly heights: Float64Array;
  /** Where the tail begins. */
  readonly tailStart: number;
}

const layerCount = 256;
const tailStart = 3.6541528853610088;
const layerArea = 4.92867323399e-3;

/**
 * The tables of the normal ziggurat with 256 layers of equal area.
 *
 * Source: Marsaglia & Tsang, "The ziggurat method for generating random variables" (2000), section 2.
 */
export const zigguratTables: ZigguratTables = buildTables();

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
  return { edges, heights, tailStart };
}
