/** Text for a terminal without UTF-8: every sign of ours by its nearest in ASCII, one for one, so that columns stay. */

const NEAREST: Readonly<Record<string, string>> = {
  ...{ '─': '-', '┄': '.', '│': '|', '┊': ':', '▶': '>', '◀': '<', '█': '#', '░': '-' },
  ...{ '→': '>', '↳': '>', '↑': '^', '↓': 'v', '·': '*', '×': 'x', µ: 'u' },
  ...{ '–': '-', '—': '-', '…': '~', '’': "'" },
};

/** `text` in ASCII, its control characters as they are; what is none of our signs, such as a file's name, as `\u{…}`. */
export function toAscii(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  return text.replace(/[^\u0000-\u007f]/gu, (char) => {
    return NEAREST[char] ?? `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
