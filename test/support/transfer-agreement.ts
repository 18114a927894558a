/** Prints how often finwait and tshark agree on each transfer figure: `npx tsx test/support/transfer-agreement.ts CAPTURE...` */

import { COMPARED, isSmooth, transferByFinwait, transferByTshark } from './transfer-tshark.ts';

const NS = 1.5e-9;

async function main(paths: readonly string[]): Promise<void> {
  const rows = COMPARED.map((name) => ({ name, sum: 0, equal: 0, different: 0, smooth: 0 }));
  let directions = 0;
  let withDuplicates = 0;
  for (const path of paths) {
    const [tshark, own] = await Promise.all([transferByTshark(path), transferByFinwait(path)]);
    for (const [key, theirs] of tshark) {
      const ours = own.get(key);
      if (ours === undefined) continue;
      if (ours.hasDuplicates) {
        withDuplicates++;
        continue;
      }
      directions++;
      for (const row of rows) {
        const apart = Math.abs(theirs.values[row.name] - ours.values[row.name]);
        row.sum += theirs.values[row.name];
        if (apart < NS) row.equal++;
        else row.different++;
        if (apart >= NS && isSmooth(theirs)) row.smooth++;
      }
    }
  }
  const lines = [
    `${paths.length} captures, ${directions} directions without duplicate frames, ${withDuplicates} with`,
    '| figure | sum of tshark | equal | different | of these in smooth directions |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(
      ({ name, sum, equal, different, smooth }) =>
        `| ${name} | ${Number.isInteger(sum) ? sum : sum.toFixed(3)} | ${equal} | ${different} | ${smooth} |`,
    ),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

await main(process.argv.slice(2));
