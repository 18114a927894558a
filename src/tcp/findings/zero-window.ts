/** `zero-window`: a side had no room for more data: its application didn't read. */

import { plural, times } from '../../base/count.ts';
import { RST, SYN } from '../../decode/columns.ts';
import { keyEnd, other } from '../facts.ts';
import { WINDOW_FULL, ZERO_WINDOW_PROBES } from '../figures.ts';
import type { Finder } from './finding.ts';

export const zeroWindow: Finder = ({ facts }) => {
  const { story, finished } = facts;
  for (const end of [0, 1] as const) {
    const windows = finished.zeroWindows[keyEnd(facts, end)];
    if (windows === 0) continue;
    const frames: number[] = [];
    for (let i = 0; i < story.count; i++) {
      if (story.from[i] !== end || story.window[i] !== 0) continue;
      if ((story.flags[i]! & (SYN | RST)) === 0) frames.push(story.frame[i]!);
    }
    const side = end === 0 ? 'client' : 'server';
    const sender = finished.transfer[keyEnd(facts, other(end))].values;
    const full = sender[WINDOW_FULL]!;
    const probes = sender[ZERO_WINDOW_PROBES]!;
    const met = [
      ...(full > 0 ? [`the other side filled it ${times(full)}`] : []),
      ...(probes > 0 ? [`probed it ${times(probes)}`] : []),
    ].join(' and ');
    return {
      code: 'zero-window',
      severity: 'warning',
      frames,
      what: `The ${side} closed its receive window (${plural(windows, 'segment')} with window 0${met === '' ? '' : `; ${met}`}): its application did not read.`,
      advice: `Look at what the ${side} does with received data; the sender, its FIN included, has to wait.`,
    };
  }
  return null;
};
