/** How `--help` looks, and what stands under the options. */

import type { HelpConfiguration } from 'commander';
import { CLOSE_KINDS, FINDING_CODES, HANDSHAKE_KINDS } from '../tcp/verdicts.ts';

/** Commands as they are written, and the default of an option where it is a word: that a flag isn't set unless given goes without saying. */
export const HELP: HelpConfiguration = {
  subcommandTerm: (command) => `${command.name()} ${command.usage()}`,
  optionDescription: ({ defaultValue, description }) =>
    typeof defaultValue === 'string' ? `${description} (default: ${defaultValue})` : description,
};

/** Help in ASCII has three points for one, out of the spaces behind them where a column follows. */
export function helpText(text: string, inLocale: (text: string) => string): string {
  if (inLocale('…') === '…') return text;
  return inLocale(text.replace(/…([^\s]*)(?: {2}(?= {2}))?/g, '...$1'));
}

/** Examples, the words of kinds and findings, and the exit statuses. */
export const EXAMPLES = `
Examples:
  finwait web.pcapng                         every connection, and how it ended
  finwait --close rst --port 443 web.pcapng  only the resets on port 443
  finwait show web.pcapng 7                  connection 7 as a ladder, in words
  finwait follow web.pcapng 7                its bytes, both directions
  finwait extract web.pcapng -d streams      the bytes of all, two files each
  finwait report captures -o report.md       a folder of captures in one report
  finwait --format jsonl web.pcapng | jq .close.kind
  tcpdump -w - tcp | finwait --format jsonl -
  finwait live -i eth0 'port 443'            connections as they open and close
  finwait --fail-on rst,refused test.pcap    exit status 1 for a script or CI

Kinds and findings:
${wrapList('close', CLOSE_KINDS)}
${wrapList('handshake', HANDSHAKE_KINDS)}
${wrapList('finding', FINDING_CODES)}

Exit status:
    0  done (also where the reader of a pipe has gone away)
    1  --fail-on matched a connection
    2  wrong usage, or an input that can't be read at all: others are still done
    3  an input was damaged: the result holds everything before the damage
  130  interrupted: what was finished is written first
  Of several, the first of 130, 2, 3, 1.`;

/** A list of words under a label, broken to 78 columns. */
function wrapList(label: string, words: readonly string[]): string {
  const lines: string[] = [];
  let line = `  ${label.padEnd(12)}`;
  for (const [i, word] of words.entries()) {
    const text = i === words.length - 1 ? word : `${word}, `;
    if (line.length + text.trimEnd().length > 78) {
      lines.push(line.trimEnd());
      line = ' '.repeat(14);
    }
    line += text;
  }
  return [...lines, line].join('\n');
}

/** Under the help of `finwait live`. */
export const LIVE_EXAMPLES = `
Examples:
  finwait live -i eth0 'port 443'           on a terminal: a live table
  finwait live -i eth0 > connections.jsonl  a line for each that has finished
  finwait live -i any --events | jq -c 'select(.event == "close")'
  finwait live -i eth0 -w ring.pcapng -b filesize:100000 -b files:10
  finwait live -i eth0 --no-tui --metrics :9464 > /dev/null

finwait interfaces lists what there is, and what you may do.
Ctrl-C ends: what is open is written as open, totals and drop counts go to
standard error.`;
