// llama.cpp through node-llama-cpp, which the benches install where it is not given.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The version that is installed. */
export const LLAMA_CPP_VERSION = '3.22.1';

/** A model as llama.cpp holds it. */
export interface LlamaModel {
  createContext(options: object): Promise<LlamaContext>;
  tokenize(text: string, specialTokens?: boolean): number[];
  detokenize(ids: readonly number[], specialTokens?: boolean): string;
  dispose(): Promise<void>;
}

interface LlamaContext {
  getSequence(): LlamaSequence;
  dispose(): Promise<void>;
}

interface LlamaSequence {
  controlledEvaluate(
    input: unknown[],
  ): Promise<{ next: { token: number; logits: Map<number, number> } }[]>;
  evaluateWithoutGeneratingNewTokens(ids: readonly number[]): Promise<void>;
  evaluate(ids: readonly number[], options: object): AsyncGenerator<number>;
  clearHistory(): Promise<void>;
}

interface Llama {
  loadModel(options: object): Promise<LlamaModel>;
}

/**
 * Loads the library for the processor with two threads.
 *
 * @param folder - has node_modules/node-llama-cpp; default: below runs/long, installed when absent.
 */
export async function loadLlamaCpp(folder?: string): Promise<Llama> {
  const home = resolve(folder ?? 'runs/long/node-llama-cpp');
  const library = join(home, 'node_modules', 'node-llama-cpp', 'dist', 'index.js');
  if (!existsSync(library)) {
    if (folder !== undefined) throw new Error(`${home} has no node_modules/node-llama-cpp`);
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
    const names = ['node-llama-cpp', '@node-llama-cpp/linux-x64'];
    const packages = names.map((name) => `${name}@${LLAMA_CPP_VERSION}`);
    const args = ['install', '--omit=optional', '--ignore-scripts', '--no-audit', ...packages];
    execFileSync('npm', args, { cwd: home, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  const { getLlama } = (await import(pathToFileURL(library).href)) as {
    getLlama(options: object): Promise<Llama>;
  };
  return getLlama({ gpu: false, build: 'never', logLevel: 'error', maxThreads: 2 });
}
