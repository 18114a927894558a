/** What this user may capture with, found by trying, and how to get the right where it is missing (capabilities(7)). */

import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { capCommand } from './cap-command.ts';
import { CAP_MISSING_STATUS } from './cap-status.ts';
import { ENGINES, type EngineName } from './engine.ts';
import { lastWords } from './trouble.ts';

export interface EngineRights {
  engine: EngineName;
  /** Where the program is; null: not installed. */
  path: string | null;
  /** Whether it can capture for this user, found by opening an interface. */
  works: boolean;
  /** In words why not, and the way out; null where it works. */
  problem: string | null;
  remedy: string | null;
}

export interface UserRights {
  name: string;
  /** Null where the system has no such number. */
  uid: number | null;
  /** Of CAP_NET_RAW and CAP_NET_ADMIN, those that this process has; null: not Linux. */
  capabilities: string[] | null;
}

const CAPABILITIES = [
  [12, 'CAP_NET_ADMIN'],
  [13, 'CAP_NET_RAW'],
] as const;
const TRY_MS = 5000;

/** The user this process runs as. */
export function userRights(): UserRights {
  const { uid, username } = userInfo();
  return { name: username, uid: uid < 0 ? null : uid, capabilities: effectiveCapabilities() };
}

function effectiveCapabilities(): string[] | null {
  try {
    const bits = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (bits === undefined) return null;
    const low = Number.parseInt(bits.slice(-8), 16);
    return CAPABILITIES.filter(([bit]) => (low & (1 << bit)) !== 0).map(([, name]) => name);
  } catch {
    return null;
  }
}

/** Tries every engine on `iface`. */
export function engineRights(iface: string, platform = process.platform): EngineRights[] {
  return ENGINES.map((engine) => {
    if (engine === 'cap') return capRights(platform);
    const path = findProgram(engine);
    if (path === null) {
      const remedy = platform === 'darwin' ? BREW[engine] : `apt-get install ${PACKAGES[engine]}`;
      return { engine, path, works: false, problem: 'is not installed', remedy };
    }
    if (!isExecutable(path)) {
      const problem = 'may be run by its group only';
      return { engine, path, works: false, problem, remedy: groupRemedy(path) };
    }
    // Listing link types opens the interface as a capture does, and ends.
    const tried = spawnSync(path, ['-L', '-i', iface], { encoding: 'utf8', timeout: TRY_MS });
    if (tried.status === 0) return { engine, path, works: true, problem: null, remedy: null };
    const words = lastWords(tried.stderr ?? '').split('. ')[0];
    const problem = `may not capture: ${words || `status ${tried.status}`}`;
    return { engine, path, works: false, problem, remedy: remedyFor(engine, path, platform) };
  });
}

const PACKAGES = { dumpcap: 'wireshark-common', tcpdump: 'tcpdump' } as const;
const BREW = {
  dumpcap: 'brew install wireshark',
  tcpdump: 'it comes with the system',
} as const;

function capRights(platform: NodeJS.Platform): EngineRights {
  const [command, args] = capCommand({ probe: true });
  const tried = spawnSync(command, args, { encoding: 'utf8', timeout: TRY_MS });
  if (tried.status === CAP_MISSING_STATUS) {
    return {
      engine: 'cap',
      path: null,
      works: false,
      problem: 'the package was not built',
      remedy: 'apt-get install g++ make libpcap-dev, then npm rebuild cap',
    };
  }
  if (tried.status === 0) {
    return { engine: 'cap', path: process.execPath, works: true, problem: null, remedy: null };
  }
  return {
    engine: 'cap',
    path: process.execPath,
    works: false,
    problem: `may not capture: ${lastWords(tried.stderr ?? '') || `status ${tried.status}`}`,
    remedy:
      platform === 'darwin'
        ? 'sudo finwait …'
        : 'sudo finwait … (rights given to node itself would be everyone’s who runs node)',
  };
}

function remedyFor(engine: EngineName, path: string, platform: NodeJS.Platform): string {
  if (platform === 'darwin') {
    return 'sudo finwait …, or install ChmodBPF, which comes with Wireshark, and join the group access_bpf';
  }
  if (engine === 'dumpcap') {
    return `sudo dpkg-reconfigure wireshark-common && sudo usermod -aG wireshark $USER (Debian; then log in again), or sudo setcap cap_net_raw,cap_net_admin=ep ${path}, or sudo finwait …`;
  }
  return `sudo setcap cap_net_raw,cap_net_admin=ep ${path} (for everyone who may run it), or sudo finwait …`;
}

function groupRemedy(path: string): string {
  const group = groupOf(path);
  return `sudo usermod -aG ${group} $USER, then log in again`;
}

function groupOf(path: string): string {
  const { gid } = statSync(path);
  try {
    const line = readFileSync('/etc/group', 'utf8')
      .split('\n')
      .find((entry) => entry.split(':')[2] === String(gid));
    return line?.split(':')[0] ?? String(gid);
  } catch {
    return String(gid);
  }
}

/** The first file of this name on PATH, or where system programs are. */
function findProgram(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  for (const folder of folders) {
    if (folder === '') continue;
    const path = join(folder, name);
    try {
      if (statSync(path).isFile()) return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
