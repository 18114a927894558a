/** `npx tsx lab/compare-live.ts DIR`: what programs printed live and kept (lab/live.py) against tcpdump's file analyzed afterwards. */

import { readdirSync } from 'node:fs';
import { compareRun, readReference } from '../test/support/live-run.ts';

const folder = process.argv[2];
if (folder === undefined) {
  console.error('usage: npx tsx lab/compare-live.ts DIR');
  process.exit(2);
}
const reference = await readReference(folder);
const ms = (seconds: number | undefined): string => `${((seconds ?? 0) * 1000).toFixed(3)} ms`;
let isSame = true;
for (const name of readdirSync(folder).filter((file) => file.endsWith('.out'))) {
  const engine = name.slice(0, -'.out'.length);
  const { frames, records, unlike } = await compareRun(folder, engine, reference);
  const { byDelay, byOrder, different, equal } = records;
  const { apart } = frames;
  console.log(
    `${engine}: ${unlike.length === 0 ? 'as' : 'NOT as'} its own packets analyzed as a file; of ${records.records} records ` +
      `${equal} equal, ${byDelay} differ by a delay near its threshold, ${byOrder} by the order of frames; ` +
      `${frames.frames} frames, ${frames.unmatched} in one capture only, ` +
      `stamps ${ms(apart[apart.length >> 1])} apart, of 99 in 100 at most ${ms(apart[Math.floor(apart.length * 0.99)])}, ` +
      `of all ${ms(apart.at(-1))}`,
  );
  for (const { file, key, live } of different)
    console.log(`  ${key}\n    live ${live}\n    file ${file}`);
  for (const { file, live } of unlike)
    console.log(`  own packets\n    live ${live}\n    file ${file}`);
  isSame &&= unlike.length === 0 && frames.unmatched === 0;
  isSame &&= equal + byDelay + byOrder === records.records;
}
process.exitCode = isSame ? 0 : 1;
