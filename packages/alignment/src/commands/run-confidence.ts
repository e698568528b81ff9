/** The confidence that a run keeps. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FittedConfidence } from '../run-summary.js';

/** What `confidence.json` of a run holds; null where there is none. */
export function readConfidence(dir: string): FittedConfidence | null {
  const path = join(dir, 'confidence.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as FittedConfidence) : null;
}
