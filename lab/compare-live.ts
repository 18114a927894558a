/** `npx tsx lab/compare-live.ts DIR`: the records that programs printed live (lab/live.py) against tcpdump's file analyzed afterwards. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyze } from '../src/analyze.ts';
import type { ConnectionRecord } from '../src/report/record.ts';
import { compareLive } from '../test/support/live-records.ts';

const folder = process.argv[2] ?? '.';
const reference: ConnectionRecord[] = [];
for await (const record of analyze(join(folder, 'reference.pcap'))) reference.push(record);
let isSame = true;
for (const name of readdirSync(folder).filter((file) => file.endsWith('.out'))) {
  const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');
  const live: ConnectionRecord[] = lines.map((line) => JSON.parse(line));
  const { different, equal, maxApart, medianApart, records } = compareLive(
    live,
    reference,
    name !== 'cap.out',
  );
  const ms = (seconds: number): string => `${(seconds * 1000).toFixed(1)} ms`;
  console.log(
    `${name}: equal ${equal}/${records}, apart ${ms(medianApart)}, at most ${ms(maxApart)}`,
  );
  for (const { file, key, live } of different)
    console.log(`  ${key}\n    live ${live}\n    file ${file}`);
  isSame &&= equal === records;
}
process.exitCode = isSame ? 0 : 1;
