/** What people read is ASCII where the locale is not UTF-8; what programs read is the same everywhere. */

import { describe, expect, test } from 'vitest';
import { localeText } from '../../src/cli/context.ts';
import { finwaitIn, shell } from '../support/command.ts';
import { fixturePath } from '../support/fixtures.ts';

const DEMO = fixturePath('demo.pcap');

describe('the locale', () => {
  test.each([
    ['nothing set', {}, true],
    ['set to nothing', { LC_ALL: '', LANG: '' }, true],
    ['UTF-8', { LANG: 'de_DE.UTF-8' }, true],
    ['spelled otherwise', { LANG: 'C.utf8' }, true],
    ['C', { LANG: 'C' }, false],
    ['POSIX', { LC_ALL: 'POSIX' }, false],
    ['another character set', { LC_CTYPE: 'de_DE.ISO-8859-1' }, false],
    ['without a character set', { LANG: 'en_US' }, false],
    ['LC_ALL before the others', { LC_ALL: 'C', LC_CTYPE: 'C.UTF-8', LANG: 'C.UTF-8' }, false],
    ['LC_CTYPE before LANG', { LC_CTYPE: 'C.UTF-8', LANG: 'C' }, true],
    ['an empty one passed over', { LC_ALL: '', LC_CTYPE: '', LANG: 'C' }, false],
  ])('%s', (_, env, isUtf8) => {
    expect(localeText(env, 'linux')('─')).toBe(isUtf8 ? '─' : '-');
  });

  test('is not asked on Windows', () => {
    expect(localeText({ LC_ALL: 'C' }, 'win32')('─')).toBe('─');
  });
});

describe('with LC_ALL=C', () => {
  test.each([
    ['the table', [DEMO]],
    ['the summary', ['--format', 'summary', DEMO]],
    ['show', ['show', DEMO, '6']],
    ['a report', ['report', DEMO, fixturePath('reuse')]],
    ['interfaces', ['interfaces']],
    ['help', ['--help']],
    ['the help of live', ['live', '--help']],
  ])('%s is ASCII in the same columns', async (_, args) => {
    const [ours, plain] = [await finwaitIn({}, ...args), await finwaitIn({ LC_ALL: 'C' }, ...args)];

    expect(plain.stdout).toMatch(/^[\n\x20-\x7e]+$/);
    expect(plain.stdout.split('\n').length).toBe(ours.stdout.split('\n').length);
    if (args.at(-1) === '--help') return;
    expect(plain.stdout.split('\n').map((line) => line.length)).toEqual(
      ours.stdout.split('\n').map((line) => line.length),
    );
  });

  test.each(['jsonl', 'csv', 'zeek-json'])('%s is as everywhere', async (format) => {
    const args = ['--format', format, DEMO];
    const [ours, plain] = [await finwaitIn({}, ...args), await finwaitIn({ LC_ALL: 'C' }, ...args)];

    expect(plain.stdout).toBe(ours.stdout);
  });

  test('the columns of help stay where an ellipsis has three points', async () => {
    const { stdout } = await finwaitIn({ LC_ALL: 'C' }, '--help');
    const column = (option: string, text: string): number | undefined =>
      stdout
        .split('\n')
        .find((line) => line.includes(option))
        ?.indexOf(text);

    expect(column('--close <KIND,...>', 'closed in')).toBe(column('--sort', 'by stream number'));
  });

  test('errors are, too', () => {
    const { stderr } = shell('LC_ALL=C; export LC_ALL; finwait --close rts x.pcap');

    expect(stderr).toContain("finwait: unknown close kind 'rts' - did you mean rst?");
  });
});
