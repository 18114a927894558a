/** The command lines of the capturing programs. */

import { expect, test } from 'vitest';
import {
  dumpcapArguments,
  type LiveOptions,
  tcpdumpArguments,
} from '../../../src/capture/live/engine.ts';

const OPTIONS: LiveOptions = {
  iface: '-odd',
  filter: '',
  snapLen: 512,
  bufferMiB: null,
  promiscuous: true,
};

test('the filter is one argument, and nothing in it can be taken for an option', () => {
  const filter = '-w /etc/passwd or port 443';

  expect(tcpdumpArguments({ ...OPTIONS, filter }, 'linux').slice(-2)).toEqual(['--', filter]);
  const dumpcap = dumpcapArguments({ ...OPTIONS, filter });
  expect(dumpcap[dumpcap.indexOf('-f') + 1]).toBe(filter);
});

test('the interface follows -i, whatever it is called', () => {
  for (const args of [dumpcapArguments(OPTIONS), tcpdumpArguments(OPTIONS, 'linux')]) {
    expect(args[args.indexOf('-i') + 1]).toBe('-odd');
  }
});

test('tcpdump hands over frames at once only where its buffer then still holds many', () => {
  expect(tcpdumpArguments(OPTIONS, 'linux')).toContain('--immediate-mode');
  expect(tcpdumpArguments({ ...OPTIONS, snapLen: 262_144 }, 'linux')).not.toContain(
    '--immediate-mode',
  );
});

test('macOS is not asked for nanoseconds, which its BPF device does not have', () => {
  expect(tcpdumpArguments(OPTIONS, 'darwin').join(' ')).not.toContain('nano');
});
