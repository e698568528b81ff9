/**
 * Three things that can come apart in a model: whether it tells a class of prompts from others,
 * whether it turns that into words of refusal, and whether it refuses.
 */
import {
  conceptStage,
  decisionStage,
  refusalStage,
  type Sides,
  type Stage,
  type StageName,
  wordsStage,
} from './dissociation-stages.js';
import type { GraftResult } from './graft-result.js';
import type { LensResult } from './lens-result.js';
import type { ProbeResult } from './probe-result.js';

/** What `weak-probe report` writes into `dissociation.json`. */
export interface Dissociation extends Sides {
  readonly layerCount: number;
  readonly middleStates: readonly number[];
  readonly stages: readonly Stage[];
  /** What the verdicts mean together. */
  readonly conclusion: string;
}

/** What it is read from: results of a run, null for what was not done. */
export interface DissociationInput {
  readonly classes: readonly string[];
  /** L, blocks of the model. */
  readonly layerCount: number;
  readonly probes: ProbeResult | null;
  readonly lens: LensResult | null;
  readonly graft: GraftResult | null;
}

/**
 * Early against late: is the concept there, do its words come up, do states decide, is there a
 * refusal.
 *
 * `concept`: the interval of the first kind of probe lies above the strongest text baseline at some
 * state. `words`: at a middle state, prompts to be refused bring up more negative or fewer positive
 * words than the others, intervals apart. `decision`: states of donors, put in before the last
 * block, change how responses open, and controls do not. `refusal`: whole responses are refusals,
 * or openings that the user named.
 *
 * Source: the stages of Zhou et al. (2024), by summaries of it; the tests are ours.
 */
export function dissociation(input: DissociationInput): Dissociation {
  const { classes, graft, lens, layerCount } = input;
  const refused = graft?.refused ?? classes[1] ?? '';
  const others = [graft?.donors.label, graft?.recipients.label, ...classes];
  const answered = others.find((name) => name !== undefined && name !== refused) ?? '';
  const stages = [
    conceptStage(input.probes),
    wordsStage(lens, { answered, refused }),
    decisionStage(graft, layerCount),
    refusalStage(graft, refused),
  ];
  return {
    ...{ answered, refused, layerCount, middleStates: lens?.middleStates ?? [], stages },
    conclusion: conclusionOf(stages),
  };
}

/** What the verdicts on concept, words and refusal mean together. */
const meanings: Readonly<Record<string, string>> = {
  'present present present':
    'The class is recognised, its words come up in the middle, and it is refused: the whole way ' +
    'of an aligned model.',
  'present present absent':
    'The class is recognised and words of refusal come up in the middle, yet it is answered: the ' +
    'way is lost behind the middle states.',
  'present absent absent':
    'The class is recognised, but no words follow and it is answered: so base models do, models ' +
    'whose alignment was removed, and prompts of a jailbreak.',
  'present absent present':
    'The class is recognised and refused, but words do not part in the middle: the lists may not ' +
    'be the words of this model, or the link lies later.',
  'absent present present':
    'Words part and the class is refused, but no probe is surely above what the texts alone ' +
    'tell: take contrast sets, whose wording is alike.',
  'absent present absent':
    'Words part, but neither concept nor refusal shows: the wording alone may tell them apart.',
  'absent absent present':
    'The class is refused, though neither probes nor words show it: the wording may be enough.',
  'absent absent absent': 'Nothing shows that the class is recognised.',
};

function conclusionOf(stages: readonly Stage[]): string {
  const verdictOf = (name: StageName) => stages.find(({ stage }) => stage === name)!.verdict;
  const key = (['concept', 'words', 'refusal'] as const).map(verdictOf).join(' ');
  const known = meanings[key];
  if (known !== undefined) return known;
  const open = stages.filter(({ verdict }) => verdict === 'unclear' || verdict === 'not measured');
  const names = open.map(({ stage, verdict }) => `${stage} ${verdict}`).join(', ');
  return `No conclusion yet: ${names}.`;
}
