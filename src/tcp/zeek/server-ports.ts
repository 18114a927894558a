/** TCP ports that Zeek takes for a server's (`likely_server_ports` of its default scripts): who is the responder without a SYN. */

// biome-ignore format: ports in their order
const PORTS = [
  21, 22, 25, 53, 79, 80, 81, 88, 135, 139, 143, 389, 443, 445, 502, 563, 585, 587, 614, 631, 636, 989, 990, 992, 993, 995,
  1080, 2811, 3128, 3268, 3389, 5222, 5223, 5269, 6379, 6666, 6667, 6668, 6669, 8000, 8080, 8888, 20000,
];

const likely = new Uint8Array(65536);
for (const port of PORTS) likely[port] = 1;

/**
 * Whether the sender of a connection's first segment is the responder (`^` in the history): its port is a server's and the
 * other's is not; or both are, it is no SYN-ACK (a scan sends those) and its port is the lower one.
 */
export function isFromResponder(srcPort: number, dstPort: number, isSyn: boolean): boolean {
  if (likely[srcPort] === 0) return false;
  return likely[dstPort] === 0 || (!isSyn && srcPort < dstPort);
}
