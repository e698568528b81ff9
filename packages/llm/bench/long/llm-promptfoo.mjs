export const name = 'llm-promptfoo';
export const summary = 'promptfoo itself imports what llm export writes, and gives every row back';
export const command = ['node', 'packages/llm/bench/promptfoo-import.mjs'];
export const codePaths = [
  'packages/llm/src/exports/promptfoo.ts',
  'packages/llm/src/exports/exported-run.ts',
  'packages/llm/src/exports/run-input.ts',
  'packages/llm/bench/promptfoo-import.mjs',
  'packages/llm/bench/promptfoo-program.mjs',
];
