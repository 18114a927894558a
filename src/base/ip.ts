/** IP addresses as text: dotted decimal and RFC 5952. */

/** An IPv4 address from its 32-bit pattern. */
export function formatIpv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 0xff}.${(word >>> 8) & 0xff}.${word & 0xff}`;
}

const groups = new Uint16Array(8);

/** An IPv6 address from four words in network order: lower case, the longest run of zero groups as `::` (RFC 5952 §4). */
export function formatIpv6(words: Int32Array): string {
  for (let i = 0; i < 4; i++) {
    const word = words[i] ?? 0;
    groups[i * 2] = word >>> 16;
    groups[i * 2 + 1] = word & 0xffff;
  }
  // IPv4-mapped addresses are written with the IPv4 part in dotted decimal (§5).
  if (words[0] === 0 && words[1] === 0 && words[2] === 0xffff) {
    return `::ffff:${formatIpv4(words[3] ?? 0)}`;
  }
  let best = -1;
  let bestLen = 1;
  for (let i = 0; i < 8; ) {
    let j = i;
    while (j < 8 && groups[j] === 0) j++;
    if (j - i > bestLen) {
      best = i;
      bestLen = j - i;
    }
    i = Math.max(j, i + 1);
  }
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (i === best) {
      text += '::';
      i += bestLen - 1;
      continue;
    }
    if (text !== '' && !text.endsWith(':')) text += ':';
    text += (groups[i] ?? 0).toString(16);
  }
  return text;
}
