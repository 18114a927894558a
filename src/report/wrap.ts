/** Breaking text at its spaces. */

/** A space, but not one between a number and its unit. */
const BREAK = / (?!(?<=\d )(?:[kMGTP]?B|[nµm]?s|min|h|d)\b)/;

/** Lines of at most `width`, words longer than that apart. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(BREAK)) {
    if (current === '') current = word;
    else if (current.length + 1 + word.length <= width) current += ` ${word}`;
    else {
      lines.push(current);
      current = word;
    }
  }
  lines.push(current);
  return lines;
}
