/** Why an output can't be made, in words and with the path that was given. */

import { systemReason } from '../base/system-error.ts';
import { UsageError } from './usage.ts';

/** What means more where something is to be written. */
const WRITING: Readonly<Record<string, string>> = {
  ENOENT: 'no such folder',
  EACCES: 'no permission to write there',
  EPERM: 'no permission to write there',
};

/** What the system said went wrong, in words; null where it is no error of the system. */
export function systemError(error: unknown): string | null {
  const reason = systemReason(error, WRITING);
  if (reason === null || !(error instanceof Error)) return null;
  if ('path' in error) return `${error.path}: ${reason}`;
  return isOfWriting(error) ? `writing the result: ${reason}` : reason;
}

/** Whether a write failed, by whichever thread. */
function isOfWriting(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'write';
}

/** `error` as one about `option path`, where it is one of a write: a thread that writes for another knows no path. */
export function writeError(option: string, path: string, error: unknown): unknown {
  return isOfWriting(error) ? outputError(option, path, error) : error;
}

/** `error` as a UsageError about `option path`; itself where it is no error of the system, or is one about an output already. */
export function outputError(option: string, path: string, error: unknown): unknown {
  const reason = systemReason(error, WRITING);
  return reason === null ? error : new UsageError(`${option} ${path}: ${reason}`);
}

/** What `act` returns; an error of the system as `outputError` has it. */
export function writing<T>(option: string, path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw outputError(option, path, error);
  }
}
