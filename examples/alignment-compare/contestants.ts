import { type AlignmentMethod, type Contestant, settingsOf } from '@lab/alignment';
import { ibmea } from '@lab/ibmea';
import { loginmea } from '@lab/loginmea';

/** Where both long checks keep finished cells, tables and figures. */
export const comparisonDir = 'docs/experiments/alignment-comparison';

const contestant = (
  label: string,
  method: AlignmentMethod,
  epochs: number,
  settings = {},
): Contestant => {
  const every = { 'evaluation.every': epochs, 'evaluation.select': 'last' };
  const config = settingsOf(method, {
    preset: 'quick',
    epochs,
    settings: { ...settings, ...every },
  });
  return { label, method, config };
};

/** The methods that are compared, with as many epochs as each needs. */
export const contestants = [
  contestant('IBMEA', ibmea, 80),
  contestant('LoginMEA', loginmea, 20),
  contestant('LoginMEA, graph alone', loginmea, 20, { 'data.modalities': ['graph'] }),
] as const;

/** How each was trained, in words. */
export const conditions = contestants.map(
  ({ label, config }) => `${label}: ${config.config.training.epochs} epochs`,
);
