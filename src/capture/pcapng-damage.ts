/** What can be wrong with a block of pcapng, with its code of docs/errors.md (draft-ietf-opsawg-pcapng §3.1, §4). */

import { MAX_BLOCK_BYTES } from './source.ts';

/** Type, length and the length again behind the body. */
export const MIN_BLOCK_BYTES = 12;

/** A damage without its place. */
export interface BlockDamage {
  code: string;
  message: string;
}

export function badLength(found: number): BlockDamage {
  return {
    code: 'bad-block-length',
    message: `expected a block length of ${MIN_BLOCK_BYTES} to ${MAX_BLOCK_BYTES} bytes, a multiple of 4, found ${found}`,
  };
}

/** The length at the end of a block differs from the `length` at its beginning. */
export function badTrailer(length: number, found: number): BlockDamage {
  return {
    code: 'bad-block-trailer',
    message: `expected ${length}, the length of the block, at its end, found ${found}`,
  };
}

/** A block too short for what every block of its type holds. */
export function badBody(type: number, expected: number, found: number): BlockDamage {
  return {
    code: 'bad-block-length',
    message: `expected at least ${expected} bytes for a block of type ${type}, found ${found}`,
  };
}

export function unknownInterface(count: number, found: number): BlockDamage {
  return {
    code: 'unknown-interface',
    message: `expected one of the ${count} interfaces of the section, found interface ${found}`,
  };
}

export function tooManyInterfaces(limit: number): BlockDamage {
  return {
    code: 'too-many-interfaces',
    message: `expected at most ${limit} interfaces, found one more`,
  };
}

export function badCapturedLength(limit: number, found: number): BlockDamage {
  return {
    code: 'bad-captured-length',
    message: `expected a captured length of at most ${limit} bytes, found ${found}`,
  };
}
