/** The hash of few words, in base64, is what node:crypto makes of the same bytes. */

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DIGEST_CHARS, writeDigest } from '../../src/report/base64.ts';
import { digest, hashMessage, MAX_MESSAGE_WORDS, message } from '../../src/report/sha1.ts';

test('for any words, as many as a block has room for', () => {
  const text = Buffer.alloc(DIGEST_CHARS);
  const view = new DataView(text.buffer, text.byteOffset);
  const words = fc.array(fc.integer(), { maxLength: MAX_MESSAGE_WORDS });

  fc.assert(
    fc.property(words, (list) => {
      const bytes = Buffer.alloc(list.length * 4);
      for (const [i, word] of list.entries()) bytes.writeInt32BE(word, i * 4);
      message.set(list);
      hashMessage(list.length);

      expect(writeDigest(view, 0, digest)).toBe(DIGEST_CHARS);
      expect(text.toString('latin1')).toBe(createHash('sha1').update(bytes).digest('base64'));
    }),
    { seed: 3174, numRuns: 1000 },
  );
});
