/**
 * A confidence from single scores, where no table of all candidates is at hand.
 */
import { type ConfidenceModel, fitConfidence, type PairEvidence } from './confidence.js';
import type { ScoreField } from './score-field.js';

/**
 * A confidence fitted on the best candidates of the sources of validation pairs, as that of an
 * alignment is; null when there are too few pairs.
 *
 * @param validation - interleaved dense pairs.
 */
export async function fieldConfidence(
  field: ScoreField,
  validation: Int32Array,
): Promise<ConfidenceModel | null> {
  const compared = new Set(field.candidates.left);
  const evidence: PairEvidence[] = [];
  const isRight: boolean[] = [];
  for (let at = 0; at < validation.length; at += 2) {
    const source = validation[at]!;
    const [best] = compared.has(source) ? await field.best(source, 1) : [];
    if (best === undefined) continue;
    evidence.push(await field.scores(source, best));
    isRight.push(best === validation[at + 1]);
  }
  return fitConfidence(evidence, isRight);
}
