/** Why an output can't be made, in words and with the path that was given. */

import { UsageError } from './usage.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such folder',
  ENOTDIR: 'a part of the path is no folder',
  EISDIR: 'is a folder',
  EEXIST: 'a file is in the way',
  EACCES: 'no permission to write there',
  EPERM: 'no permission to write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  ENAMETOOLONG: 'the name is too long',
};

/** What the system said went wrong, in words; null where it is no error of the system. */
export function systemError(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return null;
  const reason = error.syscall === 'write' ? REASONS[String(error.code)] : undefined;
  return reason === undefined ? error.message : `writing the result: ${reason}`;
}

/** `error` as a UsageError about `option path`; itself where it is no error of the system, or is one about an output already. */
export function outputError(option: string, path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof UsageError) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  if (code === null || !('syscall' in error)) return error;
  return new UsageError(`${option} ${path}: ${REASONS[code] ?? code}`);
}
