/** The network interfaces of this machine: Linux's sysfs and procfs, elsewhere what getifaddrs and ifconfig(8) tell. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { type LinkState, linkState } from './link-watch.ts';

/** One interface. */
export interface NetworkInterface {
  name: string;
  state: Exclude<LinkState, 'absent'> | 'unknown';
  /** LINKTYPE_ number of a capture on it, or null where that isn't known beforehand. */
  linkType: number | null;
  /** In words. */
  linkTypeName: string;
  /** Bytes, or null. */
  mtu: number | null;
  /** Addresses with prefix lengths; an interface that is down tells none. */
  addresses: string[];
}

const ETHERNET = 1;
const RAW = 101;
const COOKED = 113;

/** LINKTYPE_ numbers by ARPHRD_ (include/uapi/linux/if_arp.h), as libpcap maps them. */
const LINK_TYPES: Readonly<Record<number, readonly [linkType: number, name: string]>> = {
  1: [ETHERNET, 'Ethernet'],
  512: [COOKED, 'Linux cooked (PPP)'],
  768: [RAW, 'raw IP (tunnel)'],
  769: [RAW, 'raw IP (tunnel)'],
  772: [ETHERNET, 'Ethernet (loopback)'],
  776: [RAW, 'raw IP (sit)'],
  778: [RAW, 'raw IP (GRE)'],
  801: [105, '802.11'],
  803: [127, '802.11 with radiotap'],
  823: [RAW, 'raw IP (GRE)'],
  65534: [RAW, 'raw IP'],
};

/** All interfaces, in the order of the system; on Linux with `any` at the end. */
export function listInterfaces(platform: NodeJS.Platform = process.platform): NetworkInterface[] {
  const addresses = addressesByName();
  if (platform === 'linux') return linuxInterfaces(addresses);
  const shown = spawnSync('ifconfig', ['-a'], { encoding: 'utf8', timeout: 5000 });
  const listed = parseIfconfig(shown.stdout ?? '');
  const names = new Set([...listed.keys(), ...addresses.keys()]);
  return [...names].map((name) => ({
    name,
    state: listed.get(name)?.state ?? 'unknown',
    ...bsdLinkType(name),
    mtu: listed.get(name)?.mtu ?? null,
    addresses: addresses.get(name) ?? [],
  }));
}

function linuxInterfaces(addresses: ReadonlyMap<string, string[]>): NetworkInterface[] {
  const lines = readText('/proc/net/dev').split('\n');
  const names = lines.flatMap((line) => /^\s*(\S+?):/.exec(line)?.[1] ?? []);
  const found = names.map((name): NetworkInterface => {
    const folder = `/sys/class/net/${name}`;
    const arphrd = Number(readText(`${folder}/type`) || Number.NaN);
    const [linkType, linkTypeName] = LINK_TYPES[arphrd] ?? [null, `ARPHRD ${arphrd}`];
    const state = linkState(name);
    const mtu = Number(readText(`${folder}/mtu`));
    return {
      name,
      state: state === 'absent' ? 'unknown' : state,
      linkType,
      linkTypeName,
      mtu: mtu > 0 ? mtu : null,
      addresses: addresses.get(name) ?? [],
    };
  });
  const any: NetworkInterface = {
    name: 'any',
    state: 'up',
    linkType: COOKED,
    linkTypeName: 'Linux cooked (all interfaces)',
    mtu: null,
    addresses: [],
  };
  return [...found, any];
}

/** State and MTU by name, from what `ifconfig -a` prints on macOS and the BSDs. */
export function parseIfconfig(
  text: string,
): Map<string, { state: NetworkInterface['state']; mtu: number | null }> {
  const found = new Map<string, { state: NetworkInterface['state']; mtu: number | null }>();
  let name = '';
  for (const line of text.split('\n')) {
    const head = /^(\S+?): flags=[0-9a-f]+<([^>]*)>(?:.*\bmtu (\d+))?/.exec(line);
    if (head !== null) {
      name = head[1] ?? '';
      const isUp = (head[2] ?? '').split(',').includes('UP');
      found.set(name, { state: isUp ? 'up' : 'down', mtu: head[3] ? Number(head[3]) : null });
    } else if (/^\s+status: inactive/.test(line)) {
      const one = found.get(name);
      if (one?.state === 'up') one.state = 'no-carrier';
    }
  }
  return found;
}

/** What libpcap says on macOS and the BSDs goes by the driver, which names the interface. */
function bsdLinkType(name: string): { linkType: number | null; linkTypeName: string } {
  if (/^(lo|utun|gif|stf)\d*$/.test(name)) return { linkType: 0, linkTypeName: 'null (loopback)' };
  if (/^(en|bridge|awdl|llw|anpi|ap)\d+$/.test(name)) {
    return { linkType: ETHERNET, linkTypeName: 'Ethernet' };
  }
  return { linkType: null, linkTypeName: 'unknown' };
}

function addressesByName(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [name, list] of Object.entries(networkInterfaces())) {
    found.set(
      name,
      (list ?? []).map(({ address, cidr }) => cidr ?? address),
    );
  }
  return found;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
