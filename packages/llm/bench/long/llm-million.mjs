export const name = 'llm-million';
export const summary =
  'Memory of 1,000,000 rows beside 200,000, and kill -9 and resume with the same bytes';
export const command = ['node', 'packages/llm/bench/million.mjs'];
export const codePaths = [
  'packages/llm/src/rows',
  'packages/llm/src/key-table.ts',
  'packages/llm/src/synced-file.ts',
  'packages/llm/src/scripted.ts',
  'packages/llm/bench/million-rows.ts',
];
