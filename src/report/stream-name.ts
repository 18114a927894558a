/** Names for files of extracted streams, in the manner of tcpflow: sender, then receiver; nothing else out of the capture. */

import { parseAddress } from './address.ts';
import type { EndpointAddress } from './record.ts';

/** `010.000.000.001.40112-010.000.000.002.00080`: what `from` sent to `to`; `.2` and so on for later connections of the same ends. */
export function streamFileName(
  from: EndpointAddress,
  to: EndpointAddress,
  incarnation: number,
): string {
  const suffix = incarnation > 1 ? `.${incarnation}` : '';
  return `${endName(from)}-${endName(to)}${suffix}`;
}

/** Digits, hexadecimal digits, points and underscores only: a name on every file system. */
function endName({ ip, port }: EndpointAddress): string {
  const groups = parseAddress(ip) ?? [];
  const address =
    groups.length === 2
      ? groups
          .flatMap((group) => [group >> 8, group & 0xff])
          .map((byte) => String(byte).padStart(3, '0'))
          .join('.')
      : groups.map((group) => group.toString(16).padStart(4, '0')).join('_');
  return `${address}.${String(port).padStart(5, '0')}`;
}
