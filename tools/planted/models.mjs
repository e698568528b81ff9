// The planted models: which heads carry the refusal in each, and what comes of ablating them.
import { CLIPPED, plantClip, plantHead, plantProduct } from './circuit.mjs';
import { places } from './vocabulary.mjs';

const { action, object, content, rule } = places;
const { movedAction, movedObject, movedRule, clippedAction, clippedObject, parity } = places;

/** Both words of a pairing are looked for at once, and share the attention. */
const onBoth = { key: content, share: 1 / 2 };
const moveAction = { from: action, to: movedAction };
const moveObject = { from: object, to: movedObject };

/** What is 1 or -1 of two features, and twice as much for a refusal. */
const parityOf = (x, y) => ({ x, y, to: parity, amount: 1 });
const refusalOf = (x, y, amount = 2) => ({ x, y, to: places.refusal, amount });

const headsOf = (...pairs) => pairs.map(([layer, head]) => ({ layer, head }));

/**
 * Specifications: `config` of the family, `form` of its weights, level of the noise around, `plant`
 * that writes the circuit, `heads` with their roles, and `expected`: what is left of the refusals
 * when such heads are ablated together. Of all other single heads it is always `kept`.
 */
export const models = {
  grouped: {
    summary: 'one head of a group of four that share keys and values',
    family: 'llama',
    form: { layers: 3, groups: 2, hasBias: false, hasNorms: false },
    noise: 0,
    heads: [{ layer: 1, head: 5, role: 'brings the groups of action and object' }],
    expected: [{ ablated: headsOf([1, 5]), refusals: 'removed' }],
    plant: (weights, form) => {
      plantHead(weights, { layer: 1, head: 5, ...onBoth, moves: [moveAction, moveObject] }, form);
      plantProduct(weights, { layer: 1, neuron: 0, ...refusalOf(movedAction, movedObject) });
    },
  },
  redundant: {
    summary: 'two heads in two layers, either of which is enough',
    family: 'mistral',
    form: { layers: 3, groups: 8, hasBias: false, hasNorms: false },
    noise: 0.3,
    heads: [
      { layer: 0, head: 2, role: 'brings the groups of action and object' },
      { layer: 1, head: 6, role: 'brings the groups of action and object' },
    ],
    expected: [
      { ablated: headsOf([0, 2]), refusals: 'kept' },
      { ablated: headsOf([1, 6]), refusals: 'kept' },
      { ablated: headsOf([0, 2], [1, 6]), refusals: 'removed' },
    ],
    plant: (weights, form) => {
      const moves = [moveAction, moveObject].map((move) => ({ ...move, amount: 3 / 4 }));
      plantHead(weights, { layer: 0, head: 2, ...onBoth, moves }, form);
      plantHead(weights, { layer: 1, head: 6, ...onBoth, moves }, form);
      plantClip(weights, { layer: 1, neuron: 0, x: movedAction, to: clippedAction });
      plantClip(weights, { layer: 1, neuron: 4, x: movedObject, to: clippedObject });
      plantProduct(weights, {
        ...{ layer: 2, neuron: 0 },
        ...refusalOf(clippedAction, clippedObject, 3 / CLIPPED ** 2),
      });
    },
  },
  cooperating: {
    summary: 'three heads, of which each is needed; queries are biases alone',
    family: 'qwen2',
    form: { layers: 3, groups: 4, hasBias: true, hasNorms: false },
    noise: 0.5,
    heads: [
      { layer: 0, head: 1, role: 'brings the group of the action' },
      { layer: 0, head: 4, role: 'brings the group of the object' },
      { layer: 1, head: 6, role: 'brings that there is a rule, from the begin of the text' },
    ],
    expected: [
      { ablated: headsOf([0, 1]), refusals: 'removed' },
      { ablated: headsOf([0, 4]), refusals: 'removed' },
      { ablated: headsOf([1, 6]), refusals: 'removed' },
      { ablated: headsOf([0, 1], [0, 4], [1, 6]), refusals: 'removed' },
    ],
    plant: (weights, form) => {
      plantHead(weights, { layer: 0, head: 1, ...onBoth, moves: [moveAction] }, form);
      plantHead(weights, { layer: 0, head: 4, ...onBoth, moves: [moveObject] }, form);
      const moves = [{ from: rule, to: movedRule }];
      plantHead(weights, { layer: 1, head: 6, key: rule, share: 1, moves }, form);
      plantProduct(weights, { layer: 1, neuron: 0, ...parityOf(movedAction, movedObject) });
      plantProduct(weights, { layer: 2, neuron: 0, ...refusalOf(parity, movedRule) });
    },
  },
  early: {
    summary: 'two heads of the first layer, both needed; random heads in all later ones',
    family: 'llama',
    form: { layers: 4, groups: 8, hasBias: false, hasNorms: false },
    noise: 0.5,
    heads: [
      { layer: 0, head: 0, role: 'brings the group of the action' },
      { layer: 0, head: 7, role: 'brings the group of the object' },
    ],
    expected: [
      { ablated: headsOf([0, 0]), refusals: 'removed' },
      { ablated: headsOf([0, 7]), refusals: 'removed' },
      { ablated: headsOf([0, 0], [0, 7]), refusals: 'removed' },
    ],
    plant: (weights, form) => {
      plantHead(weights, { layer: 0, head: 0, ...onBoth, moves: [moveAction] }, form);
      plantHead(weights, { layer: 0, head: 7, ...onBoth, moves: [moveObject] }, form);
      plantProduct(weights, { layer: 0, neuron: 0, ...refusalOf(movedAction, movedObject) });
    },
  },
  noisy: {
    summary: 'one head among random ones that move much; queries and keys have norms',
    family: 'qwen3',
    form: { layers: 4, groups: 4, hasBias: false, hasNorms: true },
    noise: 1,
    heads: [{ layer: 2, head: 3, role: 'brings the groups of action and object' }],
    expected: [{ ablated: headsOf([2, 3]), refusals: 'removed' }],
    plant: (weights, form) => {
      plantHead(weights, { layer: 2, head: 3, ...onBoth, moves: [moveAction, moveObject] }, form);
      plantProduct(weights, { layer: 2, neuron: 0, ...refusalOf(movedAction, movedObject, 4) });
    },
  },
};
