import type { ReviewPage } from '../index.js';

/** Text that would do harm where it is not escaped. */
export const hostile = '</script><img src=x onerror=alert(1)> "quoted", $& \'';

const question = (number: number, name = `entity ${number}`): ReviewPage['questions'][number] => ({
  cells: [name, `target ${number}`, '0.5', 'why, indeed'],
  source: name,
  target: `target ${number}`,
  names: [{ label: 'source', value: `http://a/${name}` }],
  why: 'most alike by graph (.91)',
  measures: [{ label: 'margin', value: '.012' }],
  evidence: number === 1 ? hostile : undefined,
  others: [`other ${number}`],
});

/** Three pairs to decide, the first of hostile texts. */
export const reviewPage: ReviewPage = {
  title: 'Three pairs to decide',
  sentence: 'Is each one the same thing?',
  eyebrow: 'IBMEA',
  columns: ['source', 'target', 'confidence', 'why'],
  fileName: 'review.csv',
  command: 'ibmea review --run R --decisions review.csv',
  questions: [question(1, hostile), question(2), question(3)],
};
