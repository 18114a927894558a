/** Starts a live capture with the engine asked for, or with the first that works. */

import { spawn } from 'node:child_process';
import { CaptureError } from '../../base/errors.ts';
import { openCapture } from '../open.ts';
import { capCommand } from './cap-command.ts';
import { CAP_MISSING_STATUS } from './cap-status.ts';
import {
  CAP_BUFFER_MIB,
  CAP_SNAP_LEN,
  dumpcapArguments,
  ENGINES,
  type EngineName,
  IMMEDIATE_SNAP_LEN,
  type LiveOptions,
  tcpdumpArguments,
} from './engine.ts';
import { Child, LiveSource } from './live-source.ts';
import { startTrouble, type Trouble, troubleError } from './trouble.ts';

/** What no other engine could do better. */
const FINAL: ReadonlySet<Trouble['code']> = new Set([
  'no-such-interface',
  'interface-down',
  'bad-filter',
]);

const MISSING: Readonly<Record<EngineName, string>> = {
  dumpcap:
    'dumpcap is not installed (Debian: apt-get install wireshark-common; macOS: brew install wireshark)',
  tcpdump: 'tcpdump is not installed (Debian: apt-get install tcpdump)',
  cap: 'the cap package is not there: it is built when finwait is installed, which needs a compiler and the headers of libpcap (Debian: apt-get install g++ make libpcap-dev, then npm rebuild cap; npm 11 and later also want "allowScripts": {"cap": true} in package.json, or --allow-scripts=cap with npm install -g)',
};

/** Ways to the right to capture, for an error message. */
const RIGHTS =
  'run it as root (sudo), or join the group that may use dumpcap (Debian: sudo dpkg-reconfigure wireshark-common, then sudo usermod -aG wireshark $USER), or give the program the right: sudo setcap cap_net_raw,cap_net_admin=ep "$(command -v dumpcap)"; `finwait interfaces` says what is missing';

/**
 * Starts capturing; rejects with a `CaptureError` where no engine works. The caller closes the source.
 *
 * `auto` goes on to the next engine where one is not installed or lacks rights, and stops where none could do better: an interface
 * that isn't there, a filter that isn't valid.
 */
export async function openLive(
  options: LiveOptions,
  engine: EngineName | 'auto',
  maxFrames = Number.POSITIVE_INFINITY,
): Promise<LiveSource> {
  const wanted: readonly EngineName[] = engine === 'auto' ? ENGINES : [engine];
  const troubles: { engine: EngineName; trouble: Trouble }[] = [];
  for (const name of wanted) {
    const started = await start(name, options, maxFrames);
    if (started instanceof LiveSource) return started;
    if (FINAL.has(started.code)) throw troubleError(options.iface, started);
    troubles.push({ engine: name, trouble: started });
  }
  throw summed(options.iface, troubles);
}

async function start(
  engine: EngineName,
  options: LiveOptions,
  maxFrames: number,
): Promise<LiveSource | Trouble> {
  const [command, args] = commandOf(engine, options);
  // A group of its own: Ctrl-C is for finwait, which then asks the child to end.
  const child = new Child(
    engine,
    spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true }),
  );
  try {
    const isImmediate = engine === 'tcpdump' && options.snapLen <= IMMEDIATE_SNAP_LEN;
    const inner = await openCapture(child.process.stdout, { name: options.iface });
    const source = new LiveSource(options.iface, inner, child, maxFrames, isImmediate);
    if (engine === 'cap') {
      source.notes.push(
        'the cap engine has no time stamps of the kernel: times are those at which this program took the frames',
        'the cap engine does not count dropped frames',
      );
    }
    return source;
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    child.stop(0);
    const failure = await child.ended;
    if (failure !== null) {
      const isMissing = 'code' in failure && failure.code === 'ENOENT';
      return {
        code: isMissing ? 'no-engine' : 'engine-failed',
        message: isMissing ? MISSING[engine] : `${engine}: ${failure.message}`,
      };
    }
    if (engine === 'cap' && child.exit?.code === CAP_MISSING_STATUS) {
      return { code: 'no-engine', message: MISSING.cap };
    }
    return startTrouble(engine, options.iface, options.filter, child.stderr);
  }
}

function commandOf(engine: EngineName, options: LiveOptions): [string, string[]] {
  switch (engine) {
    case 'dumpcap':
      return ['dumpcap', dumpcapArguments(options)];
    case 'tcpdump':
      return ['tcpdump', tcpdumpArguments(options, process.platform)];
    default: {
      const { filter, iface } = options;
      const snapLen = Math.min(options.snapLen, CAP_SNAP_LEN);
      const bufferBytes = (options.bufferMiB ?? CAP_BUFFER_MIB) * 1024 * 1024;
      return capCommand({ iface, filter, snapLen, bufferBytes });
    }
  }
}

function summed(
  iface: string,
  troubles: readonly { engine: EngineName; trouble: Trouble }[],
): CaptureError {
  const denied = troubles.find(({ trouble }) => trouble.code === 'no-capture-rights');
  if (denied !== undefined) {
    return new CaptureError('no-capture-rights', iface, `${denied.trouble.message}; ${RIGHTS}`);
  }
  const failed = troubles.find(({ trouble }) => trouble.code === 'engine-failed');
  if (failed !== undefined) return troubleError(iface, failed.trouble);
  const all = troubles.map(({ trouble }) => trouble.message);
  const what = all.length === 1 ? all[0] : `nothing to capture with: ${all.join('; ')}`;
  return new CaptureError('no-engine', iface, what ?? 'nothing to capture with');
}
