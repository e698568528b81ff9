/**
 * Where the pairs of LLMEval^2 come from: task family, category and abilities of each data set.
 *
 * Families: as the released code has them. Categories: the figure in its repository.
 *
 * Deviation: the abilities are drawn and not tabulated in what could be seen; the map is ours and
 * can be replaced (`abilities` of `evaluateJudgements`).
 */

/** What is known of a data set. */
export interface DatasetFacts {
  readonly family: string;
  readonly category: string;
  readonly abilities: readonly string[];
}

const openQa = 'open-domain QA';

/** The fifteen data sets of LLMEval^2. */
export const llmeval2Datasets: Readonly<Record<string, DatasetFacts>> = {
  openmeva: { family: 'story', category: 'story generation', abilities: ['text composition'] },
  summarizefeedback: {
    family: 'summary',
    category: 'text summarization',
    abilities: ['induction and summarization'],
  },
  summeval: {
    family: 'summary',
    category: 'text summarization',
    abilities: ['induction and summarization'],
  },
  bagel: {
    family: 'data-text',
    category: 'data-to-text generation',
    abilities: ['text composition', 'semantic understanding'],
  },
  webgpt: { family: 'qa', category: 'retrieval QA', abilities: ['knowledge QA'] },
  'mt-bench': {
    family: 'multi-dialogue',
    category: 'dialogue',
    abilities: ['dialogue', 'logical reasoning'],
  },
  'hh-rlhf': {
    family: 'single-dialogue',
    category: 'dialogue',
    abilities: ['dialogue', 'harmlessness'],
  },
  'rlhf-reward-russian': {
    family: 'single-dialogue',
    category: 'dialogue',
    abilities: ['dialogue', 'multilingual'],
  },
  hellaswag: {
    family: 'nli',
    category: 'commonsense NLI',
    abilities: ['logical reasoning', 'semantic understanding'],
  },
  shp: { family: 'qa', category: openQa, abilities: ['knowledge QA'] },
  eli5: { family: 'qa', category: openQa, abilities: ['knowledge QA'] },
  'pku-saferlhf': { family: 'safety-qa', category: openQa, abilities: ['harmlessness'] },
  'rlhf-reward-chinese': { family: 'qa', category: openQa, abilities: ['multilingual'] },
  'reward-aira-portuguese': { family: 'qa', category: openQa, abilities: ['multilingual'] },
  'code-contests': { family: 'code', category: 'programming', abilities: ['logical reasoning'] },
};
