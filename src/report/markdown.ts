/** Makes foreign text harmless in Markdown (CommonMark, and GitHub's tables and links), and lays out tables. */

import { escapeTerminal } from './escape.ts';

/** A name as a code span: nothing in it is markup. What would end the span or the cell is written as `\xNN`. */
export function code(text: string): string {
  const safe = escapeTerminal(text).replace(
    /[`|]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16)}`,
  );
  return `\`${safe}\``;
}

/** What markup is made of, and what turns into a link by itself. */
const MARKUP = /[\\`*_~[\]<>&|#@]|:(?=\/\/)|(?<=www)\./gi;

/** Text as it is: no character of it is markup. */
export function plain(text: string): string {
  return escapeTerminal(text).replace(MARKUP, (char) => `&#${char.charCodeAt(0)};`);
}

/** Cells are padded to this width: a long name makes no long line of each other row. */
const MAX_PADDED = 40;

/** A table of cells that are Markdown already, or nothing without rows; a heading that ends in `:` stands over a column of figures. */
export function tableLines(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  if (rows.length === 0) return [];
  const titles = headings.map((heading) => heading.replace(/:$/, ''));
  const all = [titles, ...rows];
  const widths = titles.map((_, i) =>
    all.reduce((most, row) => Math.min(MAX_PADDED, Math.max(most, row[i]?.length ?? 0)), 3),
  );
  const isFigure = (i: number): boolean => headings[i]?.endsWith(':') === true;
  const line = (cells: readonly string[]): string =>
    `| ${widths
      .map((width, i) => {
        const cell = cells[i] ?? '';
        return isFigure(i) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join(' | ')} |`;
  const rule = widths.map((width, i) => `${'-'.repeat(width - 1)}${isFigure(i) ? ':' : '-'}`);
  return [line(titles), line(rule), ...rows.map(line)];
}
