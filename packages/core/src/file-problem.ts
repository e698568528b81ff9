/** The system's name of a file error (`ENOENT` ...), or an empty text. */
export function systemCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

const phrases: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'is a folder, not a file',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many open files',
  EEXIST: 'exists already',
  ENOSPC: 'disk full',
};

/** One sentence saying what is wrong with a file: path and reason in plain words. */
export function describeFileProblem(path: string, error: unknown): string {
  const code = systemCode(error);
  const reason = phrases[code] ?? (error instanceof Error ? error.message : String(error));
  return `${path}: ${reason}.`;
}
