/** What a capturing program says on its standard error, understood: why it didn't start or why it ended, and what it dropped. */

import { CaptureError, type CaptureErrorCode } from '../../base/errors.ts';
import type { EngineName } from './engine.ts';

/** Characters told of what a program said. */
const MAX_WORDS_CHARS = 500;

/** What was wrong, before it becomes an error or a damage. */
export interface Trouble {
  code: CaptureErrorCode;
  /** In words, with the way out. */
  message: string;
}

/** Frames as the program counted them. */
export interface Counters {
  received: number | null;
  dropped: number;
}

const NO_SUCH_INTERFACE =
  /no device named|no such device|no such interface|doesn't exist|BIOCSETIF|siocgifhwaddr/i;
const NO_RIGHTS =
  /permission|operation not permitted|you must be root|eacces|eperm|cannot open bpf/i;
const BAD_FILTER =
  /capture filter|filter expression|syntax error|can't parse|unknown host|unknown port|illegal|inval|expression rejects all|not supported/i;
const NOT_UP = /is not up|network is down/i;
const GONE = /no longer attached|no longer running|disappeared|interface went down|enetdown|enxio/i;

/** What dumpcap and tcpdump say whenever they start or end; tells nothing about trouble. */
const SAID_ALWAYS =
  /^(Capturing on|File:|Packets (captured|received)|Warning: .*may not actually work)|listening on|packets? (captured|received by filter|dropped by)/;

/** Why `engine` did not start capturing on `iface`, from what it said. */
export function startTrouble(
  engine: EngineName,
  iface: string,
  filter: string,
  stderr: string,
): Trouble {
  const said = spoken(stderr);
  const text = said.join(' ');
  if (NO_SUCH_INTERFACE.test(text)) {
    return {
      code: 'no-such-interface',
      message: 'there is no such interface; `finwait interfaces` lists what there is',
    };
  }
  if (NOT_UP.test(text)) {
    return {
      code: 'interface-down',
      message: `is not up; \`ip link set ${iface} up\` brings it up`,
    };
  }
  if (NO_RIGHTS.test(text)) {
    return { code: 'no-capture-rights', message: `${engine} may not capture: ${said[0] ?? ''}` };
  }
  if (filter !== '' && BAD_FILTER.test(text)) {
    return {
      code: 'bad-filter',
      message: `the filter '${filter}' is not valid: ${filterError(said)}`,
    };
  }
  return {
    code: 'engine-failed',
    message: `${engine} did not start: ${text === '' ? 'it said nothing' : text}`,
  };
}

/** Whether the program ended because the interface is gone. */
export function isInterfaceLost(stderr: string): boolean {
  return GONE.test(stderr);
}

/** What it said, one line, without what it says always; empty where that is all. */
export function lastWords(stderr: string): string {
  return spoken(stderr).join(' ').slice(0, MAX_WORDS_CHARS);
}

/** The latest counters in what it said, or null. */
export function readCounters(stderr: string): Counters | null {
  const dumpcap = [...stderr.matchAll(/received\/dropped on interface .*?: (\d+)\/(\d+)/g)].at(-1);
  if (dumpcap !== undefined) return { received: Number(dumpcap[1]), dropped: Number(dumpcap[2]) };
  const dropped = [...stderr.matchAll(/(\d+) packets? dropped by kernel/g)].at(-1);
  if (dropped === undefined) return null;
  const received = [...stderr.matchAll(/(\d+) packets? received by filter/g)].at(-1);
  const byInterface = [...stderr.matchAll(/(\d+) packets? dropped by interface/g)].at(-1);
  return {
    received: received === undefined ? null : Number(received[1]),
    dropped: Number(dropped[1]) + Number(byInterface?.[1] ?? 0),
  };
}

/** `trouble` as an error of interface `iface`. */
export function troubleError(iface: string, { code, message }: Trouble): CaptureError {
  return new CaptureError(code, iface, message);
}

function spoken(stderr: string): string[] {
  return stderr
    .split('\n')
    .map((line) =>
      line
        .replace(/^(dumpcap|tcpdump|cap): /, '')
        .replace(/\.$/, '')
        .trim(),
    )
    .filter((line) => line !== '' && !SAID_ALWAYS.test(line));
}

/** The line that names the fault: dumpcap puts it in brackets behind a sentence of its own. */
function filterError(said: readonly string[]): string {
  for (const line of said) {
    const inner = /isn't a valid capture filter \((.*)\)\.?$/.exec(line);
    if (inner?.[1] !== undefined) return inner[1];
  }
  return said[0] ?? '';
}
