import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BackendError } from '@lab/core';

/** The package whose sources the binding is compiled from, and the version that fits. */
export const tfjsNode = { name: '@tensorflow/tfjs-node', version: '4.22.0' } as const;

/** How to have it without its own download of TensorFlow. */
export const tfjsNodeInstall = `npm install --ignore-scripts ${tfjsNode.name}@${tfjsNode.version}`;

/**
 * Throws when a tfjs-node package is installed without the binding that its install script makes.
 *
 * Loading it would take a second to find that out.
 */
export function assertStockBinding(packageName: string): void {
  let folder: string;
  try {
    const { resolve } = createRequire(import.meta.url);
    folder = join(dirname(resolve(`${packageName}/package.json`)), 'lib');
  } catch {
    return; // not installed: the import says so
  }
  const folders = existsSync(folder) ? readdirSync(folder) : [];
  if (folders.some((name) => existsSync(join(folder, name, 'tfjs_binding.node')))) return;
  throw new BackendError(`tensor: ${packageName} is here without its binding to TensorFlow.`, {
    help: 'Run lab-tensor setup, which makes one for a TensorFlow of today, or choose wasm.',
  });
}
