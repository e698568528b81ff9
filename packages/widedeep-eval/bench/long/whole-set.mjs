export const name = 'widedeep-whole-set';
export const summary =
  'LLMEval^2 whole by a scripted model: 60 s, 400 MB; killed and resumed, and in shards, alike';
export const command = ['node', 'packages/widedeep-eval/bench/whole-set.mjs'];
export const codePaths = [
  'packages/widedeep-eval/src',
  'packages/widedeep-eval/bench/whole-set.ts',
];
