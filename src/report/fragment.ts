/** Pieces of text prepared to be copied as bytes. */

const encoder = new TextEncoder();

/** Printable ASCII, prepared to be appended again and again: keys and words. */
export interface Fragment {
  readonly text: string;
  /** Bytes. */
  readonly length: number;
  /** The bytes, eight in each, little-endian; filled up with zeros to an even number of eights. */
  readonly eights: Float64Array;
}

/** Whether `text` can be a fragment: no eight bytes of it make the pattern of a NaN, which a copy might change. */
export function isPlain(text: string): boolean {
  return /^[\n\r -~]*$/.test(text);
}

/** `text`, printable ASCII and line ends, as a fragment. */
export function fragment(text: string): Fragment {
  if (!isPlain(text)) throw new Error(`expected printable ASCII, found ${text}`);
  const eights = new Float64Array(Math.max(1, Math.ceil(text.length / 16)) * 2);
  const bytes = new Uint8Array(eights.length * 8);
  encoder.encodeInto(text, bytes);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < eights.length; i++) eights[i] = view.getFloat64(i * 8, true);
  return { text, length: text.length, eights };
}

/** A fragment for each of `words`, made by `shape`. */
export function fragments<K extends string>(
  words: readonly K[],
  shape: (word: K) => string,
): Readonly<Record<K, Fragment>> {
  const entries = words.map((word) => [word, fragment(shape(word))]);
  return Object.fromEntries(entries) as Record<K, Fragment>;
}
