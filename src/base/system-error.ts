/** What the operating system says went wrong, in words (errno(3), and what libuv adds to it). */

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is no folder',
  EISDIR: 'is a folder',
  EEXIST: 'a file is in the way',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'no space left within the quota',
  EFBIG: 'larger than a file may be there',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'links that lead round in a circle',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EBUSY: 'in use',
  ETXTBSY: 'in use',
  EIO: 'the device failed',
  ENXIO: 'no such device',
  ENODEV: 'no such device',
  EADDRINUSE: 'something listens there already',
  EADDRNOTAVAIL: 'not an address of this machine',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name of the host can’t be looked up now',
};

/**
 * The reason in words, `own` before the general ones; of a code that has none the system's own text without the code and the call; null where
 * `error` is no error of the system.
 */
export function systemReason(
  error: unknown,
  own: Readonly<Record<string, string>> = {},
): string | null {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return null;
  const code = String(error.code);
  const words = own[code] ?? WORDS[code];
  if (words !== undefined) return words;
  const [, text] = /^[A-Z][A-Z0-9_]+: (.*?), [a-z_]+(?: '.*)?$/s.exec(error.message) ?? [];
  return text ?? error.message;
}

/** The same, or the message of any other error. */
export function reasonOf(error: unknown, own: Readonly<Record<string, string>> = {}): string {
  return systemReason(error, own) ?? (error instanceof Error ? error.message : String(error));
}
