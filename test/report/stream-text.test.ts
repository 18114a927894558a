/** Followed bytes as text and as a hex dump. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { streamFileName } from '../../src/report/stream-name.ts';
import { hexForm, textForm } from '../../src/report/stream-text.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('text', () => {
  test('lines end as on Unix, tabs stay, what a terminal obeys and what is no UTF-8 is escaped', () => {
    const form = textForm(false, false);

    const text = form.bytes('client', 0, Buffer.from('a\r\n\tb\rc\u001b[31m\u202eé', 'utf8'));

    expect(text).toBe('a\n\tb\\x0dc\\x1b[31m\\u{202e}é');
    expect(form.bytes('client', 9, bytes('\xff\xc0\x80'))).toBe('\\xff\\xc0\\x80');
  });

  test('a character cut between two segments is whole again, also when the other side speaks between', () => {
    const form = textForm(false, true);

    const text =
      form.bytes('client', 0, bytes('\xe2\x82')) +
      form.bytes('server', 0, bytes('ok\r')) +
      form.bytes('client', 2, bytes('\xac')) +
      form.bytes('server', 3, bytes('\n')) +
      form.bytes('client', 3, bytes('\xe2\x82'));

    expect(text + form.end()).toBe('< ok\n> €\\xe2\\x82\n');
  });

  test('a gap stands on a line of its own', () => {
    const form = textForm(false, false);

    const text =
      form.bytes('client', 0, bytes('ab')) +
      form.gap('client', 1024, 'missing') +
      form.gap('client', 1, 'not-captured');

    expect(text).toBe(
      'ab\n[1,024 bytes missing in the capture]\n[1 byte cut off by the snap length]\n',
    );
  });

  test('both sides have lines of their own that say whose they are', () => {
    const form = textForm(false, true);

    const text =
      form.bytes('client', 0, bytes('GET /\r\nHost: a\r\n\r\n')) +
      form.bytes('server', 0, bytes('HTTP/1.0 200 OK\n')) +
      form.gap('server', 7, 'missing') +
      form.bytes('server', 23, bytes('end')) +
      form.end();

    expect(text).toBe(
      '> GET /\n> Host: a\n> \n< HTTP/1.0 200 OK\n< [7 bytes missing in the capture]\n< end\n',
    );
  });

  test('a line that the other side breaks into goes on in the next, and its late end adds none', () => {
    const form = textForm(false, true);

    const text =
      form.bytes('client', 0, bytes('us')) +
      form.bytes('server', 0, bytes('login: ')) +
      form.bytes('client', 2, bytes('er')) +
      form.bytes('server', 7, bytes('\nPassword: ')) +
      form.bytes('client', 4, bytes('\n')) +
      form.end();

    expect(text).toBe('> us\n< login: \n> er\n< Password: \n');
  });

  test('one side alone has no marks, and its last line an end', () => {
    const form = textForm(false, false);

    expect(form.bytes('server', 0, bytes('a\nb')) + form.end()).toBe('a\nb\n');
    expect(textForm(false, false).end()).toBe('');
  });

  test('colour adds nothing but colour', () => {
    const pieces = fc.array(
      fc.record({
        from: fc.constantFrom('client' as const, 'server' as const),
        text: fc.string({ unit: fc.constantFrom('a', '\n', '\r', 'é') }),
      }),
    );
    fc.assert(
      fc.property(pieces, fc.boolean(), (all, marks) => {
        const [plain, colored] = [textForm(false, marks), textForm(true, marks)].map(
          (form) =>
            all.map(({ from, text }) => form.bytes(from, 0, Buffer.from(text))).join('') +
            form.end(),
        );

        // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with ESC
        expect(colored?.replace(/\u001b\[\d+m/g, '')).toBe(plain);
        expect(plain === '' || plain?.endsWith('\n')).toBe(true);
        if (marks) expect(plain).toMatch(/^(?:[<>] .*\n)*$/);
      }),
      { seed: 9293 },
    );
  });

  test('the client is red and the server blue', () => {
    const form = textForm(true, false);

    expect(form.bytes('client', 0, bytes('a'))).toBe('\u001b[31ma\u001b[39m');
    expect(form.bytes('server', 0, bytes('b'))).toBe('\u001b[34mb\u001b[39m');
  });
});

test('the hex dump is that of Wireshark', () => {
  const form = hexForm(false);

  expect(form.bytes('client', 0, bytes('GET / HTTP/1.0\r\n\r\n'))).toBe(
    '00000000  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 30 0d 0a  GET / HT TP/1.0..\n' +
      '00000010  0d 0a                                             ..\n',
  );
  expect(form.bytes('server', 171, bytes('x'))).toMatch(/^\t000000AB {2}78 +x\n$/);
});

test('file names hold addresses and ports only, sender first', () => {
  const a = { ip: '10.0.0.1', port: 40112 };
  const b = { ip: '2001:db8::1', port: 80 };

  expect(streamFileName(a, { ip: '10.0.0.2', port: 80 }, 1)).toBe(
    '010.000.000.001.40112-010.000.000.002.00080',
  );
  expect(streamFileName(b, a, 2)).toBe(
    '2001_0db8_0000_0000_0000_0000_0000_0001.00080-010.000.000.001.40112.2',
  );
});
