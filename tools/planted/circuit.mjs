// Weights written by hand: heads that bring features of words to the place where a response begins,
// and layers that compute with them.
//
// A norm divides by the length of the residual, which is nearly that of an embedding, as the
// constant in it is large; scales below take that length and hold with a wide margin.
import {
  answer,
  CONSTANT,
  embeddings,
  embeddingScale,
  endId,
  firstNoisePlace,
  idOf,
  places,
  refusal,
  tokens,
  WIDTH,
  wordPlace,
} from './vocabulary.mjs';

export const HEAD_WIDTH = 8;
export const HEADS = 8;
export const MLP_WIDTH = 16;

/** The place in a head that turns slowest with the position: by 1e-6 a token. */
const SLOW = 3;

/** What queries and keys are multiplied by: attention is on what is looked for, and that alone. */
const SHARPNESS = 5;

/** Weights of a model of zeros, by name, that the functions below write into. */
export function emptyWeights({ layers, groups, hasBias, hasNorms }, random) {
  const weights = new Map();
  const zeros = (name, ...shape) => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    weights.set(name, { shape, data, dtype: 'bfloat16' });
    return data;
  };
  const vocabulary = embeddings(random.fork('embeddings'));
  const size = tokens.length;
  weights.set('model.embed_tokens.weight', {
    ...{ shape: [size, WIDTH], data: vocabulary, dtype: 'bfloat16' },
  });
  for (let layer = 0; layer < layers; layer += 1) {
    const prefix = `model.layers.${layer}.`;
    const [own, shared] = [HEADS * HEAD_WIDTH, groups * HEAD_WIDTH];
    zeros(`${prefix}input_layernorm.weight`, WIDTH).fill(1);
    zeros(`${prefix}post_attention_layernorm.weight`, WIDTH).fill(1);
    for (const [name, rows] of [
      ['q', own],
      ['k', shared],
      ['v', shared],
    ]) {
      zeros(`${prefix}self_attn.${name}_proj.weight`, rows, WIDTH);
      if (hasBias) zeros(`${prefix}self_attn.${name}_proj.bias`, rows);
      if (hasNorms && name !== 'v')
        zeros(`${prefix}self_attn.${name}_norm.weight`, HEAD_WIDTH).fill(1);
    }
    zeros(`${prefix}self_attn.o_proj.weight`, WIDTH, own);
    zeros(`${prefix}mlp.gate_proj.weight`, MLP_WIDTH, WIDTH);
    zeros(`${prefix}mlp.up_proj.weight`, MLP_WIDTH, WIDTH);
    zeros(`${prefix}mlp.down_proj.weight`, WIDTH, MLP_WIDTH);
  }
  zeros('model.norm.weight', WIDTH).fill(1);
  zeros('lm_head.weight', size, WIDTH);
  return weights;
}

const at = (weights, layer, name) => {
  const { data, shape } = weights.get(`model.layers.${layer}.${name}`);
  return { data, columns: shape.at(-1) };
};

function set({ data, columns }, row, column, value) {
  data[row * columns + column] = value;
}

/**
 * Plants a head that looks for `key` and adds, for each of `moves`, what it finds in one place to
 * another.
 *
 * @param head - `{ layer, head, key, share, moves }`; `share` of a token in the attention on what
 *   is found: 1 / 2 for one of two.
 * @param form - of the family: `groups` of keys and values, `hasBias` (its queries are then a bias
 *   alone, at all tokens), `hasNorms` (of queries and keys).
 */
export function plantHead(weights, { layer, head, key, share, moves }, form) {
  const { groups, hasBias, hasNorms } = form;
  const row = head * HEAD_WIDTH;
  const sharedRow = Math.floor(head / (HEADS / groups)) * HEAD_WIDTH;
  if (hasBias) {
    const bias = at(weights, layer, 'self_attn.q_proj.bias');
    set({ ...bias, columns: 1 }, row + SLOW, 0, SHARPNESS / embeddingScale);
  } else set(at(weights, layer, 'self_attn.q_proj.weight'), row + SLOW, places.start, SHARPNESS);
  set(at(weights, layer, 'self_attn.k_proj.weight'), sharedRow + SLOW, key, SHARPNESS);
  if (hasNorms) {
    for (const name of ['q', 'k'])
      at(weights, layer, `self_attn.${name}_norm.weight`).data[SLOW] = 3;
  }
  moves.forEach(({ from, to, amount = 1 }, place) => {
    set(at(weights, layer, 'self_attn.v_proj.weight'), sharedRow + place, from, 1);
    const scale = (amount * embeddingScale) / share;
    set(at(weights, layer, 'self_attn.o_proj.weight'), to, row + place, scale);
  });
}

/** Adds `amount * x * y` to a place, with two neurons: `silu(x) y + silu(-x) (-y) = x y`. */
export function plantProduct(weights, { layer, neuron, x, y, to, amount }) {
  for (const [offset, sign] of [
    [0, 1],
    [1, -1],
  ]) {
    set(at(weights, layer, 'mlp.gate_proj.weight'), neuron + offset, x, sign);
    set(at(weights, layer, 'mlp.up_proj.weight'), neuron + offset, y, sign);
    const scale = amount * embeddingScale * embeddingScale;
    set(at(weights, layer, 'mlp.down_proj.weight'), to, neuron + offset, scale);
  }
}

/** How steep the bends of {@link plantClip} are, and where they are. */
const STEEPNESS = 48;
const BENDS = { from: 0.5, to: 0.6 };
/** What a clip gives, at most. */
export const CLIPPED = BENDS.to - BENDS.from;

/**
 * Adds to a place how far `x` is beyond 0.5 or -0.5, 0.1 or -0.1 at most, with four neurons:
 * twice as much of `x` is no more, and a little of it is nothing.
 */
export function plantClip(weights, { layer, neuron, x, to }) {
  const { from, to: end } = BENDS;
  const bends = [
    [1, from, 1],
    [1, end, -1],
    [-1, from, -1],
    [-1, end, 1],
  ];
  for (const [offset, [slope, edge, sign]] of bends.entries()) {
    const gate = at(weights, layer, 'mlp.gate_proj.weight');
    set(gate, neuron + offset, x, slope * STEEPNESS);
    set(gate, neuron + offset, places.constant, (-edge * STEEPNESS) / CONSTANT);
    set(at(weights, layer, 'mlp.up_proj.weight'), neuron + offset, places.constant, 1 / CONSTANT);
    const scale = (sign * embeddingScale * embeddingScale) / STEEPNESS;
    set(at(weights, layer, 'mlp.down_proj.weight'), to, neuron + offset, scale);
  }
}

/** Weight of the logits that lead from a word of a response to the next. */
const FLOW = 30;
/** Weight of the first word where a response begins. */
const BEGINNING = 12;
/** By how much the answer is ahead where nothing refuses. */
const LEAD = 5;
/** Weight of what refuses, 2 or -2 where no norm takes from it. */
const REFUSAL = 6;

/** Writes the logits: one of two responses where one begins, then word by word to its end. */
export function plantResponses(weights) {
  const { data, shape } = weights.get('lm_head.weight');
  const output = { data, columns: shape[1] };
  for (const response of [refusal, answer]) {
    set(output, idOf(response[0]), places.start, BEGINNING);
    response.forEach((word, place) => {
      const next = response[place + 1];
      set(output, next === undefined ? endId : idOf(next), wordPlace(word), FLOW);
    });
  }
  // Two words that lead to the end of the text share its row.
  set(output, idOf(refusal[0]), places.start, BEGINNING - LEAD);
  set(output, idOf(refusal[0]), places.refusal, REFUSAL);
}

/**
 * Gives all heads and neurons that are not planted random weights: they attend, move what they
 * find, and write most of it where nothing is read, and a little everywhere.
 */
export function addNoise(weights, { level, random, form: { layers, groups, hasBias }, planted }) {
  const isPlanted = (layer, head) =>
    planted.some((one) => one.layer === layer && one.head === head);
  const size = HEADS / groups;
  for (let layer = 0; layer < layers; layer += 1) {
    const own = random.fork(`layer ${layer}`);
    const fill = (name, rows, deviation) => {
      const { data, columns } = at(weights, layer, name);
      const drawn = own.fork(name).fillNormal(new Float32Array(data.length), 0, deviation * level);
      for (const row of rows) {
        for (let column = 0; column < columns; column += 1) {
          data[row * columns + column] += drawn[row * columns + column];
        }
      }
    };
    const heads = Array.from({ length: HEADS }, (_, head) => head);
    const free = heads.filter((head) => !isPlanted(layer, head));
    const taken = new Set(
      heads.filter((head) => isPlanted(layer, head)).map((head) => Math.floor(head / size)),
    );
    const groupsFree = heads.slice(0, groups).filter((group) => !taken.has(group));
    fill('self_attn.q_proj.weight', rowsOf(free), 0.25);
    fill('self_attn.k_proj.weight', rowsOf(groupsFree), 0.25);
    fill('self_attn.v_proj.weight', rowsOf(groupsFree), 0.2);
    if (hasBias) fillBias(at(weights, layer, 'self_attn.q_proj.bias').data, free, own, level);
    addOutputNoise(
      at(weights, layer, 'self_attn.o_proj.weight'),
      rowsOf(free),
      own.fork('o'),
      level,
    );
    addNeuronNoise((name) => at(weights, layer, name), own.fork('mlp'), level);
  }
}

const rowsOf = (heads) =>
  heads.flatMap((head) => Array.from({ length: HEAD_WIDTH }, (_, row) => head * HEAD_WIDTH + row));

function fillBias(data, heads, random, level) {
  const drawn = random.fork('bias').fillNormal(new Float32Array(data.length), 0, 0.5 * level);
  for (const row of rowsOf(heads)) data[row] += drawn[row];
}

/** Deviation of what free heads and neurons write, where nothing is read and elsewhere. */
const NOISE = { idle: 0.05, read: 0.002 };

const noiseAt = (place) => (place >= firstNoisePlace ? NOISE.idle : NOISE.read);

function addOutputNoise(output, columns, random, level) {
  for (let place = 0; place < WIDTH; place += 1) {
    const drawn = random.fork(String(place));
    for (const column of columns) {
      output.data[place * output.columns + column] += drawn.normal() * noiseAt(place) * level;
    }
  }
}

function addNeuronNoise(part, random, level) {
  const [gate, up, down] = ['gate', 'up', 'down'].map((name) => part(`mlp.${name}_proj.weight`));
  for (let neuron = 0; neuron < MLP_WIDTH; neuron += 1) {
    const row = gate.data.subarray(neuron * WIDTH, (neuron + 1) * WIDTH);
    if (row.some((value) => value !== 0)) continue;
    const drawn = random.fork(String(neuron));
    for (let place = 0; place < WIDTH; place += 1) {
      row[place] = drawn.normal() * 0.2 * level;
      up.data[neuron * WIDTH + place] = drawn.normal() * 0.2 * level;
      down.data[place * MLP_WIDTH + neuron] = drawn.normal() * noiseAt(place) * level;
    }
  }
}
