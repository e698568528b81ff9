export const name = 'llm-throughput';
export const summary = 'Durable rows a second of llm run beside bare undici and openai loops';
export const command = ['node', 'packages/llm/bench/throughput.mjs', '10000', '5'];
export const codePaths = ['packages/llm/src', 'packages/llm/bench/bare-loop.mjs'];
