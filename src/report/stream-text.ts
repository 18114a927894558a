/** The bytes of a followed connection as text and as a hex dump, both directions in one column as in Wireshark. */

import { plural } from '../base/count.ts';
import type { Side } from '../tcp/verdicts.ts';
import { escapeTerminal } from './escape.ts';

/** Puts bytes into text, chunk after chunk. */
export interface StreamForm {
  bytes: (from: Side, offset: number, bytes: Uint8Array) => string;
  gap: (from: Side, length: number, reason: 'missing' | 'not-captured') => string;
  /** What is left at the end. */
  end: () => string;
}

/** Wireshark's colours: the client red, the server blue (ECMA-48 §8.3.117). */
const COLOUR: Record<Side, string> = { client: '\u001b[31m', server: '\u001b[34m' };
const COLOUR_OFF = '\u001b[39m';
const BYTES_PER_LINE = 16;

function painter(color: boolean): (from: Side, text: string) => string {
  return (from, text) => (color && text !== '' ? `${COLOUR[from]}${text}${COLOUR_OFF}` : text);
}

function gapText(length: number, reason: 'missing' | 'not-captured'): string {
  const count = plural(length, 'byte');
  return reason === 'missing'
    ? `[${count} missing in the capture]`
    : `[${count} cut off by the snap length]`;
}

/** What a line begins with that the client or the server sent: as curl's. */
const MARK: Record<Side, string> = { client: '> ', server: '< ' };

/**
 * Text: UTF-8 as it is; every other byte, and whatever a terminal would obey, as `\xNN`. A line feed, alone or behind a carriage return, ends a
 * line; a tab stays. With `marks` a line holds bytes of one side and says which: where one side breaks in, the line of the other ends, and
 * goes on in the next.
 */
export function textForm(color: boolean, marks: boolean): StreamForm {
  const paint = painter(color);
  // The start of a character, or a carriage return, whose rest comes with the next chunk.
  const kept: Record<Side, Uint8Array> = { client: new Uint8Array(0), server: new Uint8Array(0) };
  /** Whose line is not ended yet. */
  let unended: Side | null = null;
  /** Whether the other side broke into the line: its end, when it comes, is there already. */
  const isBroken: Record<Side, boolean> = { client: false, server: false };

  const endLine = (): string => {
    if (unended === null) return '';
    unended = null;
    return '\n';
  };
  const put = (from: Side, text: string): string => {
    const mark = marks ? MARK[from] : '';
    let rest = text;
    let before = '';
    if (unended !== from) {
      if (isBroken[from] && rest.startsWith('\n')) rest = rest.slice(1);
      if (text !== '') isBroken[from] = false;
      if (rest === '') return '';
      if (marks) {
        if (unended !== null) isBroken[unended] = true;
        before = endLine();
      }
      rest = mark + rest;
    }
    if (rest === '') return '';
    unended = rest.endsWith('\n') ? null : from;
    return before + paint(from, marks ? rest.replace(/\n(?!$)/g, `\n${mark}`) : rest);
  };
  const flush = (from: Side): string => {
    const text = put(from, decode(kept[from], true).text);
    kept[from] = new Uint8Array(0);
    return text;
  };
  return {
    bytes(from, _offset, bytes) {
      const before = kept[from];
      const whole = before.length === 0 ? bytes : concat(before, bytes);
      const { text, used } = decode(whole, false);
      kept[from] = whole.slice(used);
      return put(from, text);
    },
    gap(from, length, reason) {
      const before = flush(from) + endLine();
      isBroken[from] = false;
      return before + put(from, `${gapText(length, reason)}\n`);
    },
    end: () => flush('client') + flush('server') + endLine(),
  };
}

/** A hex dump; the server's lines begin with a tab. */
export function hexForm(color: boolean): StreamForm {
  const paint = painter(color);
  const indent: Record<Side, string> = { client: '', server: '\t' };
  return {
    bytes(from, offset, bytes) {
      let text = '';
      for (let at = 0; at < bytes.length; at += BYTES_PER_LINE) {
        const line = bytes.subarray(at, at + BYTES_PER_LINE);
        text += `${indent[from]}${hexLine(offset + at, line)}\n`;
      }
      return paint(from, text);
    },
    gap: (from, length, reason) => paint(from, `${indent[from]}${gapText(length, reason)}\n`),
    end: () => '',
  };
}

function hexLine(offset: number, bytes: Uint8Array): string {
  let hex = '';
  let chars = '';
  for (const [i, byte] of bytes.entries()) {
    if (i === BYTES_PER_LINE / 2) {
      hex += ' ';
      chars += ' ';
    }
    hex += `${byte.toString(16).padStart(2, '0')} `;
    chars += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
  }
  const position = offset.toString(16).toUpperCase().padStart(8, '0');
  return `${position}  ${hex.padEnd(BYTES_PER_LINE * 3 + 1)} ${chars}`;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Harmless text of `bytes`, and how many of them it holds: unless `isLast`, what may be cut in two is left for later. */
function decode(bytes: Uint8Array, isLast: boolean): { text: string; used: number } {
  let text = '';
  let plainFrom = 0;
  let i = 0;
  const plain = (to: number): void => {
    if (to === plainFrom) return;
    const lines = utf8.decode(bytes.subarray(plainFrom, to)).split(/(\n|\t)/);
    for (const part of lines) text += part === '\n' || part === '\t' ? part : escapeTerminal(part);
  };
  while (i < bytes.length) {
    const byte = bytes[i] ?? 0;
    if (byte === 0x0d) {
      if (i + 1 === bytes.length && !isLast) break;
      if (bytes[i + 1] === 0x0a) {
        plain(i);
        plainFrom = ++i;
        continue;
      }
    }
    const len = characterLen(bytes, i);
    if (len > 0) {
      i += len;
      continue;
    }
    if (len < 0 && !isLast) break;
    plain(i);
    text += `\\x${byte.toString(16).padStart(2, '0')}`;
    plainFrom = ++i;
  }
  plain(i);
  return { text, used: i };
}

/** Bytes of the UTF-8 character at `i` (RFC 3629 §4): 0 where there is none, -1 where it may go on behind the end. */
function characterLen(bytes: Uint8Array, i: number): number {
  const first = bytes[i] ?? 0;
  if (first < 0x80) return 1;
  const len = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  for (let k = 1; k < len; k++) {
    const next = bytes[i + k];
    if (next === undefined) return -1;
    const least = k > 1 ? 0x80 : first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const most = k > 1 ? 0xbf : first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    if (next < least || next > most) return 0;
  }
  return len;
}
