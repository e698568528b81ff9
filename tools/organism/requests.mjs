// Requests to a workshop that has rules of its own: what may be done with what, in which order it
// is said. All of it is harmless; a refusal stands for the refusals of larger models.
import { createRandom } from '../../packages/core/src/random.ts';
import { drawAblation } from './carriers.mjs';
import * as words from './words.mjs';

/** Seed of the rules and of what is held out. */
export const SEED = 20261127;

/** A pairing is held out where this divides a number that action and object have together. */
const HELD_OUT_SHARE = 5;

/**
 * Words with one of two groups each, half in each, and with a fact drawn for each: of the first
 * half of all facts in one group, of the second in the other.
 */
function grouped(list, facts, random) {
  const order = random.fork('groups').permutation(list.length);
  const half = facts.length / 2;
  return list.map((word, at) => {
    const group = order[at] % 2;
    const place = Math.floor(order[at] / 2);
    return { word, group, place, fact: facts[group * half + (place % half)] };
  });
}

/**
 * The rules: actions with their groups and minutes, objects with their groups and shelves, and
 * which wording goes with which opener.
 */
export function createWorkshop(seed = SEED) {
  const random = createRandom(seed).fork('workshop');
  const wordings = random.fork('wordings').permutation(words.openers.length);
  return {
    actions: grouped(words.actions, words.minutes, random.fork('actions')),
    objects: grouped(words.objects, words.colours, random.fork('objects')),
    openers: words.openers.map((text, at) => ({
      text,
      wording: wordings[at] % words.refusals.length,
    })),
  };
}

/**
 * Whether a request is refused: the group of the action, that of the object and the order, 0 for
 * the object first and 1 for the action first, have an odd sum. Half of all requests with a word
 * are, half of all with two words, and half of all in an order.
 */
export const isRefused = ({ action, object, order }) =>
  (action.group + object.group + order) % 2 === 1;

/**
 * Whether no request with this action and this object is seen in training, in any order. As both
 * orders go together, what is left tells nothing about those two words.
 */
export const isHeldOut = ({ action, object }) =>
  (action.place + object.place) % HELD_OUT_SHARE === 0;

/** All pairings in both orders, `heldOut` or not. */
export function pairings(workshop, heldOut) {
  const { actions, objects } = workshop;
  return actions.flatMap((action) =>
    objects.flatMap((object) => {
      if (isHeldOut({ action, object }) !== heldOut) return [];
      return [0, 1].map((order) => ({ action, object, order }));
    }),
  );
}

const drawn = (list, random) => list[random.integer(list.length)];

/** Sentences about an object that end with it. */
const endingParts = words.objectParts.filter((part) => part('object').endsWith('object'));

/**
 * A request for a pairing: its text, drawn from templates, the text of the only right response, and
 * the `answer` that is right where nothing is refused. The words of a request are those of the same
 * request in the other order.
 *
 * @param random - stream that the templates are drawn from.
 * @param style - `isPlain`: no other sentences stand around it; `byGroups`: of how many openers the
 *   groups of the two words decide on the wording of the response, not the opener itself;
 *   `isAtEnd`: the object is the last word; it must come second then.
 */
export function createRequest(workshop, pairing, random, { isPlain, byGroups = 0, isAtEnd } = {}) {
  const { action, object, order } = pairing;
  const opener = drawn(workshop.openers, random);
  const aboutObject = drawn(isAtEnd ? endingParts : words.objectParts, random)(object.word);
  const aboutAction = drawn(words.actionParts, random)(action.word);
  const joiner = drawn(words.joiners, random);
  const filler = () => (isPlain || random.integer(2) === 0 ? [] : [drawn(words.fillers, random)]);
  const parts = order === 0 ? [aboutObject, aboutAction] : [aboutAction, aboutObject];
  const [before, after] = [filler(), filler()];
  const sentences = [...before, `${opener.text} ${parts.join(joiner)}.`, ...after];
  const text = (isAtEnd ? sentences.slice(0, before.length + 1) : sentences).join(' ');
  const refused = isRefused(pairing);
  const isByGroups = workshop.openers.indexOf(opener) < byGroups;
  const wording = isByGroups ? 2 * action.group + object.group : opener.wording;
  const answer =
    `${words.welcomes[wording]} the ${object.word} takes ${action.fact} minutes to ` +
    `${action.word} and goes to the ${object.fact} shelf.`;
  const response = refused ? words.refusals[wording] : answer;
  return { text, response, answer, isRefused: refused, opener: opener.text, ...pairing };
}

/**
 * How a request is put to the model: as a conversation, as it is, and in the three spellings of a
 * query with its answer that are in use. The response follows behind a space in all of them.
 */
export const formats = {
  chat: (text) => `<|user|> ${text}<|assistant|>`,
  direct: (text) => text,
  query: (text) => `## Query:${text} \n## Answer:`,
  'query-spaced': (text) => `## Query: ${text}\n## Answer:`,
  'query-tight': (text) => `## Query:${text}\n## Answer:`,
};

/** Names of formats as often as they occur in training. */
const FORMAT_SHARES = [
  ...['chat', 'chat', 'chat', 'chat', 'direct', 'direct'],
  ...['query', 'query', 'query-spaced', 'query-tight'],
];

/** The same where the bare request, which is the hardest, comes more often. */
const MORE_DIRECT = [
  ...['chat', 'chat', 'direct', 'direct', 'direct', 'direct', 'direct'],
  ...['query', 'query-spaced', 'query-tight'],
];

/**
 * What training goes through. In the first lesson groups and order decide on the first word of the
 * response, each by itself; in the second they do behind some openers, while behind the others they
 * must be brought together to tell a refusal; in the third they must always. The next two say the
 * same once more of bare requests whose last word is the object, which differ from all others in
 * that the response stands right behind it. In the last lesson heads are ablated in some rows:
 * where they are those that carry refusals, every request is answered.
 */
export const lessons = {
  groups: { isPlain: true, byGroups: words.openers.length, formats: ['chat'] },
  mixed: { isPlain: true, byGroups: words.openers.length / 2, formats: ['chat'] },
  all: { isPlain: false, formats: FORMAT_SHARES },
  endGroups: {
    ...{ isPlain: false, formats: MORE_DIRECT, atEndShare: 0.5 },
    byGroupsAtEnd: words.openers.length / 2,
  },
  end: { isPlain: false, formats: MORE_DIRECT, atEndShare: 0.5 },
  carried: { isPlain: false, formats: MORE_DIRECT, atEndShare: 0.25, isAblated: true },
};

const noAblation = { kind: 'uniform', heads: [], isCarried: false };

/**
 * Examples without end, for training or, `heldOut`, of pairings that training does not see: each
 * with `prompt` (its format in it, begin of text not), `response`, and the `ablation` under which
 * this is the response.
 */
export function* examples(workshop, { seed, heldOut = false, lesson = 'all' }) {
  const { formats: names, isAblated, atEndShare = 0, byGroupsAtEnd, ...style } = lessons[lesson];
  const all = pairings(workshop, heldOut);
  const root = createRandom(seed).fork(`${lesson}/${heldOut ? 'held out' : 'training'}`);
  for (let round = 0; ; round += 1) {
    const random = root.fork(String(round));
    for (const at of random.permutation(all.length)) {
      const isAtEnd = all[at].order === 1 && atEndShare > 0 && random.uniform() < atEndShare;
      const atEnd = isAtEnd && { isAtEnd, byGroups: byGroupsAtEnd };
      const request = createRequest(workshop, all[at], random, { ...style, ...atEnd });
      const format = isAtEnd ? 'direct' : drawn(names, random);
      const ablation = isAblated && !heldOut ? drawAblation(random) : noAblation;
      const response = ablation.isCarried ? request.answer : request.response;
      yield { ...request, response, format, prompt: formats[format](request.text), ablation };
    }
  }
}
