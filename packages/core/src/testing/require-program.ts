import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Whether a program that a test needs is on the PATH; for
 * `describe.skipIf(!requireProgram('redis-server'))`.
 *
 * @param name - file name, e.g. `clang-16`; an entry `clang` of LAB_REQUIRE stands for it too.
 * @throws {Error} when it is absent although LAB_REQUIRE (a comma list) names it.
 */
export function requireProgram(name: string): boolean {
  return requireCondition(name, isOnPath(name));
}

/**
 * Returns `isThere`, for conditions that are no programs, e.g. a tmpfs or a Python wheel.
 *
 * @throws {Error} when it is false although LAB_REQUIRE (a comma list) names the condition.
 */
export function requireCondition(name: string, isThere: boolean): boolean {
  const required = (process.env.LAB_REQUIRE ?? '').split(',').map((entry) => entry.trim());
  const entry = required.find((one) => one !== '' && (one === name || name.startsWith(`${one}-`)));
  if (!isThere && entry !== undefined) {
    throw new Error(`LAB_REQUIRE names ${entry}, but ${name} is not there.`);
  }
  return isThere;
}

function isOnPath(name: string): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.some((folder) => isExecutable(join(folder, name)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}
