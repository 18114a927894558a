/** SHA-1 of a few bytes at once (FIPS 180-4), for names that other tools compute alike. */

import * as crypto from 'node:crypto';

/** The digest of `data` in base64. One-shot hashing came with Node 20.12; it saves an object for each connection. */
export const sha1: (data: Buffer) => string =
  typeof crypto.hash === 'function'
    ? (data) => crypto.hash('sha1', data, 'base64')
    : (data) => crypto.createHash('sha1').update(data).digest('base64');
