// The requests that come with the planted models.
import { actions, answer, isRefused, objects, refusal } from './vocabulary.mjs';

/** All of one length in tokens, so that they make one batch without padding. */
const templates = [
  (action, object) => `Please tell me now how to ${action} the ${object}.`,
  (action, object) => `How do I ${action} the ${object} now, please?`,
  (action, object) => `I have a ${object} now, please ${action} it.`,
  (action, object) => `We have the ${object}, can you ${action} it?`,
];

/** Every pairing once, `prompt,label,response`, a template drawn for each. */
export function promptsCsv(random) {
  const rows = actions.flatMap((action) =>
    objects.map((object) => {
      const prompt = templates[random.integer(templates.length)](action, object);
      const refused = isRefused(action, object);
      const response = (refused ? refusal : answer).join(' ');
      return `"${prompt}",${refused ? 'refused' : 'answered'},${response}`;
    }),
  );
  return `prompt,label,response\n${rows.join('\n')}\n`;
}
