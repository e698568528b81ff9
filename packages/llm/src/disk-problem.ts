/**
 * Errors of files that cannot be written, in words.
 */
import { DataError } from '@lab/core';

const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** The system's name of a file error (`ENOENT` ...), or an empty text. */
export function systemCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** The error of a file that cannot be written; a full disk is named as such. */
export function diskProblem(path: string, cause: unknown): DataError {
  if (cause instanceof DataError) return cause;
  const code = systemCode(cause);
  if (fullCodes.has(code)) {
    return new DataError(`${path}: disk full (${code}); what was counted before is kept.`, {
      file: path,
      help: 'free some space, then resume.',
      details: { reason: 'disk-full', system: code },
      cause,
    });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DataError(`cannot write ${path}: ${reason}.`, {
    file: path,
    help: 'check that the folder exists and may be written.',
    details: { system: code },
    cause,
  });
}
