/** Program for tests of standard input: prints how many frames the capture given as argument has. */

import { openCapture } from '../../src/capture/open.ts';
import { drain } from './read-frames.ts';

try {
  const source = await openCapture(process.argv[2] ?? '-');
  const { frames } = await drain(source);
  await source.close();
  process.stdout.write(`${frames.length} frames\n`);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : error}\n`);
}
