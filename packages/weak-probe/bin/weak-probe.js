#!/usr/bin/env node
import { existsSync } from 'node:fs';

// In a checkout the sources run, whether there is a build or not; the published package has one.
const loader = new URL('../../../tools/run-sources.mjs', import.meta.url);
const isCheckout = !import.meta.url.includes('/node_modules/') && existsSync(loader);
const hasRun =
  isCheckout &&
  (await (await import(loader.href)).importSource(new URL('../src/cli.ts', import.meta.url).href));
if (!hasRun) await import('../dist/cli.js');
