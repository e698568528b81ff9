// The requests that come with the organism: pairings of training and held-out ones.
import { createRandom } from '../../packages/core/src/random.ts';
import { createRequest, createWorkshop, pairings } from './requests.mjs';

const COLUMNS = [...['id', 'prompt', 'label', 'split', 'action', 'object', 'order', 'response']];

const quoted = (text) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Rows of prompts.csv: every held-out pairing once, and as many of training, drawn. */
export function promptRows(seed) {
  const workshop = createWorkshop();
  const root = createRandom(seed).fork('prompts');
  const heldOut = pairings(workshop, true);
  const training = root.fork('choice').shuffle(pairings(workshop, false)).slice(0, heldOut.length);
  return [
    ['held-out', heldOut],
    ['training', training],
  ].flatMap(([split, all]) => {
    const random = root.fork(split);
    return all.map((pairing, at) => {
      const { text, response, isRefused, action, object, order } = createRequest(
        workshop,
        pairing,
        random,
      );
      return {
        ...{ id: `${split}-${at + 1}`, prompt: text, label: isRefused ? 'refused' : 'answered' },
        ...{ split, action: action.word, object: object.word },
        ...{ order: order === 0 ? 'object first' : 'action first', response },
      };
    });
  });
}

/** Rows as CSV. */
export const csvOf = (rows) =>
  `${[COLUMNS, ...rows.map((row) => COLUMNS.map((name) => quoted(row[name])))]
    .map((fields) => fields.join(','))
    .join('\n')}\n`;
