/** The error of an input that can't be read, and the damage of one that can be read in part (docs/errors.md). */

/** Why an input can't be read at all. Each code is explained in docs/errors.md. */
export type CaptureErrorCode =
  | 'not-found'
  | 'no-permission'
  | 'is-a-folder'
  | 'empty'
  | 'not-a-capture'
  | 'unsupported-version'
  | 'unsupported-compression'
  | 'unsupported-format'
  | 'read-failed';

/** Thrown by `capture/` where an input is no capture at all; caught only by `cli/` and by users of the library. */
export class CaptureError extends Error {
  readonly code: CaptureErrorCode;
  /** What was expected and what was found: the message without the source and the offset. */
  readonly what: string;
  /** The input's name as the user gave it. */
  readonly source: string;
  /** Byte offset in the (decompressed) input, or null where none applies. */
  readonly offset: number | null;

  /** The message is `source: what (at byte offset)`: `what` says what was expected and what was found. */
  constructor(code: CaptureErrorCode, source: string, what: string, offset: number | null = null) {
    super(`${source}: ${what}${offset === null ? '' : ` (at byte ${offset})`}`);
    this.name = 'CaptureError';
    this.code = code;
    this.what = what;
    this.source = source;
    this.offset = offset;
  }
}

/** Where a readable input stopped being so. Everything before `offset` was handed over. */
export interface Damage {
  /** Kebab-case, explained in docs/errors.md, e.g. `truncated-record`, `bad-block-length`, `truncated-gzip`. */
  code: string;
  /** Byte offset in the decompressed input at which the damaged record or block begins. */
  offset: number;
  /** What was expected and what was found, without the name of the input. */
  message: string;
}
