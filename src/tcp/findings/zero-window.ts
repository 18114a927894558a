/** `zero-window`: a side had no room for more data: its application didn't read. */

import { RST, SYN } from '../../decode/columns.ts';
import { keyEnd } from '../facts.ts';
import type { Finder } from './finding.ts';

export const zeroWindow: Finder = ({ facts }) => {
  const { story, finished } = facts;
  for (const end of [0, 1] as const) {
    const times = finished.zeroWindows[keyEnd(facts, end)];
    if (times === 0) continue;
    const frames: number[] = [];
    for (let i = 0; i < story.count; i++) {
      if (story.from[i] !== end || story.window[i] !== 0) continue;
      if ((story.flags[i]! & (SYN | RST)) === 0) frames.push(story.frame[i]!);
    }
    const side = end === 0 ? 'client' : 'server';
    return {
      code: 'zero-window',
      severity: 'warning',
      frames,
      what: `The ${side} closed its receive window (${times} segments with window 0): its application did not read.`,
      advice: `Look at what the ${side} does with received data; the sender, its FIN included, has to wait.`,
    };
  }
  return null;
};
