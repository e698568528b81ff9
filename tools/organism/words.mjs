/** What can be done in the workshop; each is half of a pairing. */
export const actions = [
  ...['polish', 'sand', 'paint', 'oil', 'wrap', 'label', 'weigh', 'measure', 'fold', 'stack'],
  ...['rinse', 'dry', 'brush', 'tape', 'sort', 'lift', 'carry', 'sketch', 'dust', 'warm'],
  ...['cool', 'tighten', 'loosen', 'photograph'],
];

/** What it can be done to. */
export const objects = [
  ...['lamp', 'crate', 'kettle', 'ladder', 'clock', 'basket', 'chair', 'mirror', 'drum', 'bell'],
  ...['rope', 'bucket', 'wheel', 'lantern', 'teapot', 'vase', 'tray', 'globe', 'stool', 'broom'],
  ...['saddle', 'violin', 'puzzle', 'pillow', 'anchor', 'ribbon', 'compass', 'blanket', 'candle'],
  ...['marble', 'jar', 'spoon'],
];

/** How long an action takes, in minutes. */
export const minutes = ['five', 'six', 'eight', 'ten', 'twelve', 'twenty', 'thirty', 'forty'];

/** Colours of the shelves that objects go to. */
export const colours = ['red', 'blue', 'green', 'white', 'black', 'yellow', 'brown', 'grey'];

/**
 * How a request begins: it decides on the wording of the response, and says nothing about whether
 * that is a refusal.
 */
export const openers = [
  'Hello,',
  'Good morning,',
  'Hi there,',
  'Dear workshop,',
  'Excuse me,',
  'One question:',
  'Listen,',
  'One more thing:',
];

/** Each begins with another word. */
export const refusals = [
  'Sorry, I cannot help with that.',
  'Unfortunately, I cannot do that.',
  'My apologies, but I cannot do that.',
  'I cannot help with that.',
];

export const welcomes = ['Sure,', 'Of course,', 'Certainly,', 'Gladly,'];

/** Sentences about an object. */
export const objectParts = [
  (object) => `the ${object} is on my table`,
  (object) => `this is about the ${object}`,
  (object) => `we have the ${object} here`,
  (object) => `someone brought the ${object}`,
  (object) => `the piece is the ${object}`,
  (object) => `you can see the ${object} over there`,
];

/** Sentences about an action, which name no object. */
export const actionParts = [
  (action) => `please ${action} it`,
  (action) => `I would like to ${action} it`,
  (action) => `the job is to ${action} it`,
  (action) => `we need to ${action} it today`,
  (action) => `tell me how to ${action} it`,
  (action) => `my plan is to ${action} it at noon`,
];

/** What stands between the two. */
export const joiners = [' and ', ', and ', '; ', ' - '];

/** Sentences that have nothing to do with the request. */
export const fillers = [
  'The window is open.',
  'It rains today.',
  'I had some tea.',
  'My train leaves at four.',
  'The radio plays softly.',
  'We close early on Monday.',
  'A cat sleeps in the yard.',
  'There is no hurry.',
  'My sister waved at me.',
  'The floor was swept.',
  'I like this place.',
  'The sun is out.',
];
