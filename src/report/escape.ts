/** Makes text out of a capture, or the name of a file, harmless on a terminal (docs/specification.md §9). */

// Everything a terminal obeys or that turns text around: C0, DEL, C1, bidi marks, embeddings, overrides and
// isolates, line and paragraph separators, zero-width characters, lone surrogates.
const HOSTILE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Surrogate}/gu;

/** `text` with control characters written as `\xNN` and the rest that misleads a reader as `\u{…}`. */
export function escapeTerminal(text: string): string {
  return text.replace(HOSTILE, (char) => {
    const code = char.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    return code < 256 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
  });
}
