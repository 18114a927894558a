/** Which file of a joined capture a frame lies in. */

import { expect, test } from 'vitest';
import { fileOfFrame } from '../../src/base/files.ts';

test('a frame lies in the last file that begins at or before it', () => {
  const files = [
    { file: 'a', firstFrame: 1 },
    { file: 'empty', firstFrame: 11 },
    { file: 'b', firstFrame: 11 },
    { file: 'c', firstFrame: 12 },
  ];

  const found = [1, 10, 11, 12, 99].map((frame) => fileOfFrame(files, frame));

  expect(found).toEqual(['a', 'a', 'b', 'c', 'c']);
});
