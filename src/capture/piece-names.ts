/** Names of the pieces of a rotated capture: dumpcap's and tcpdump's (docs/reports.md). */

import { basename, dirname } from 'node:path';

const COMPRESSION = /\.(?:gz|zst|lz4)$/i;
/** dumpcap -b: name_00001_20260101000000.pcapng, or (nametimenum) name_20260101000000_00001.pcapng. */
const DUMPCAP = /^(.*)_(?:(\d{5})_\d{14}|\d{14}_(\d{5}))(\.[^.]*)?$/;
/** tcpdump -C and -W: a number behind the whole name. */
const NUMBERED = /^(.*?\D)(\d{0,6})$/s;
const EXTENSION = /\.[A-Za-z]+$/;

/** tcpdump -G: what strftime makes of a date with or without a time, of a time with seconds, and of %s. */
const STRFTIME = [
  /(?<!\d)(?:19|20)\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])(?:[-_.T ]?(?:[01]\d|2[0-3])(?:[-_.:h]?[0-5]\d(?:[-_.:m]?[0-6]\d)?)?)?(?!\d)/g,
  /(?<!\d)1\d{9}(?!\d)/g,
  /(?<!\d)(?:[01]\d|2[0-3])[-_.:]?[0-5]\d[-_.:]?[0-6]\d(?!\d)/g,
];

/** A name taken apart: pieces of one capture have the same series. */
export interface NamePattern {
  series: string;
  /** The name would be plain without its number, and has no ending that makes the number one of tcpdump's. */
  isBareNumber: boolean;
  isDumpcap: boolean;
  /** `''` where there is none. */
  number: string;
  /** tcpdump's date or time; `''` where there is none. */
  date: string;
}

/** What is common to the names of all pieces of the capture that `path` may be a piece of. */
export function namePattern(path: string): NamePattern {
  const folder = dirname(path);
  const name = basename(path).replace(COMPRESSION, '');
  const dumpcap = DUMPCAP.exec(name);
  if (dumpcap !== null) {
    const [, stem, number = dumpcap[3] ?? '', , ending = ''] = dumpcap;
    const series = `${folder}/${stem}_*${ending}`;
    return { series, isBareNumber: false, isDumpcap: true, number, date: '' };
  }
  let dated = name;
  let date = '';
  for (const pattern of STRFTIME) {
    date = name.match(pattern)?.join(' ') ?? '';
    dated = name.replace(pattern, '*');
    if (dated !== name) break;
  }
  const [, stem = dated, number = ''] = NUMBERED.exec(dated) ?? [];
  return {
    series: `${folder}/${stem}#`,
    isBareNumber: dated === name && !EXTENSION.test(stem),
    isDumpcap: false,
    number,
    date,
  };
}
