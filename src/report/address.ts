/** Addresses as text: endpoints for people (RFC 3986 brackets), and the networks of `--host`. */

import type { EndpointAddress } from './record.ts';

/** `10.0.0.1:80`, `[2001:db8::1]:80`. */
export function endpointText({ ip, port }: EndpointAddress): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** `endpointText` cut to `width` in its address: the port stays. */
export function shortEndpoint(text: string, width: number): string {
  if (text.length <= width) return text;
  const port = text.slice(text.lastIndexOf(':'));
  return `${text.slice(0, Math.max(0, width - port.length - 1))}…${port}`;
}

/** An address and how many of its first bits count. */
export interface Network {
  /** 16-bit groups: two for IPv4, eight for IPv6. */
  groups: number[];
  /** 0 … 32 or 0 … 128. */
  bits: number;
}

/** The 16-bit groups of an address, two for IPv4 and eight for IPv6; null where `text` is no address. */
export function parseAddress(text: string): number[] | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** `ADDRESS` or `ADDRESS/LENGTH`; null where it is neither. */
export function parseNetwork(text: string): Network | null {
  const [address = '', length, ...rest] = text.split('/');
  const groups = parseAddress(address);
  if (groups === null || rest.length > 0) return null;
  const most = groups.length * 16;
  if (length === undefined) return { groups, bits: most };
  if (!/^\d{1,3}$/.test(length) || Number(length) > most) return null;
  return { groups, bits: Number(length) };
}

/** Whether an address of the same family lies in `network`. */
export function networkHolds(network: Network, groups: readonly number[]): boolean {
  if (groups.length !== network.groups.length) return false;
  let left = network.bits;
  for (let i = 0; left > 0; i += 1, left -= 16) {
    const shift = left >= 16 ? 0 : 16 - left;
    if ((groups[i] ?? 0) >> shift !== (network.groups[i] ?? 0) >> shift) return false;
  }
  return true;
}

function parseIpv4(text: string): number[] | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return null;
  const [a = 0, b = 0, c = 0, d = 0] = match.slice(1).map(Number);
  if (a > 255 || b > 255 || c > 255 || d > 255) return null;
  return [a * 256 + b, c * 256 + d];
}

function parseIpv6(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0] ?? '', halves.length === 1);
  const tail = groupsOf(halves[1] ?? '', true);
  if (head === null || tail === null) return null;
  if (halves.length === 1) return head.length === 8 ? head : null;
  const gap = 8 - head.length - tail.length;
  return gap < 1 ? null : [...head, ...new Array<number>(gap).fill(0), ...tail];
}

function groupsOf(text: string, mayEndInIpv4: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = mayEndInIpv4 && i === parts.length - 1 ? parseIpv4(part) : null;
      if (v4 === null) return null;
      groups.push(...v4);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return null;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups.length > 8 ? null : groups;
}
