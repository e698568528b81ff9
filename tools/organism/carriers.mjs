// Heads that refusals are to need, and which heads are ablated in which rows of a lesson.

/** Each of them is needed for a refusal. */
export const carriers = [
  { layer: 2, head: 3 },
  { layer: 3, head: 2 },
];

/** Of the model that is trained. */
const LAYERS = 5;
const HEADS = 8;

/** How heads are ablated: their patterns even, or what they give zero. */
export const ablationKinds = ['uniform', 'zero'];

/**
 * What is ablated, as often as it occurs in training: nothing, the first or the second carrier,
 * both, or one or two other heads.
 */
const ABLATED = [
  ...['none', 'none', 'none', 'none', 'none', 'none', 'none', 'none', 'none', 'none'],
  ...['first', 'first', 'second', 'second', 'both', 'both', 'both'],
  ...['other', 'other', 'others'],
];

const isCarrier = ({ layer, head }) =>
  carriers.some((one) => one.layer === layer && one.head === head);

/** All heads but the carriers. */
export const otherHeads = Array.from({ length: LAYERS * HEADS }, (_, at) => ({
  layer: Math.floor(at / HEADS),
  head: at % HEADS,
})).filter((head) => !isCarrier(head));

/**
 * Heads that are ablated in a row, with the kind; `isCarried` where refusals need one of them, so
 * that every request is answered.
 */
export function drawAblation(random) {
  const what = ABLATED[random.integer(ABLATED.length)];
  const kind = ablationKinds[random.integer(ablationKinds.length)];
  const other = () => otherHeads[random.integer(otherHeads.length)];
  const heads = {
    none: () => [],
    first: () => carriers.slice(0, 1),
    second: () => carriers.slice(1),
    both: () => carriers,
    other: () => [other()],
    others: () => [other(), other()],
  }[what]();
  return { kind, heads, isCarried: heads.some(isCarrier) };
}

/** The same as changes of a pass. */
export const interventionsOf = ({ kind, heads }) =>
  heads.map((head) => ({ kind, site: kind === 'zero' ? 'z' : 'pattern', ...head }));
