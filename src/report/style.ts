/** Colours of a terminal (ECMA-48 §8.3.117): a function a meaning, each the identity where colour is off. */

import type { CloseKind } from '../tcp/verdicts.ts';

export type Paint = (text: string) => string;

export interface Style {
  bold: Paint;
  dim: Paint;
  good: Paint;
  warn: Paint;
  bad: Paint;
  accent: Paint;
}

const same: Paint = (text) => text;
const sgr =
  (on: number, off: number): Paint =>
  (text) =>
    text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`;

const PLAIN: Style = { bold: same, dim: same, good: same, warn: same, bad: same, accent: same };
const COLOUR: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  good: sgr(32, 39),
  warn: sgr(33, 39),
  bad: sgr(31, 39),
  accent: sgr(36, 39),
};

/** The style with or without colour. */
export function styleFor(color: boolean): Style {
  return color ? COLOUR : PLAIN;
}

const CLOSE_MEANING: Record<CloseKind, keyof Style> = {
  '4-way': 'good',
  '3-way-merged': 'good',
  simultaneous: 'accent',
  rst: 'bad',
  'half-closed': 'warn',
  open: 'dim',
};

/** The colour of a close kind: orderly, unusual, reset, unfinished. */
export function closePaint(style: Style, kind: CloseKind): Paint {
  return style[CLOSE_MEANING[kind]];
}

/** Length of `text` without colours, which are the only escape sequences it can hold. */
export function visibleLength(text: string): number {
  let length = text.length;
  for (let at = text.indexOf('\u001b['); at >= 0; at = text.indexOf('\u001b[', at + 1)) {
    length -= text.indexOf('m', at) - at + 1;
  }
  return length;
}
