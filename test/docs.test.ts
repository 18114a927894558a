/** The pages of docs/ and the README name what the program has: no more, no less. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CLOSE_KINDS, FINDING_CODES, HANDSHAKE_KINDS } from '../src/tcp/verdicts.ts';
import { ROOT } from './support/command.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** The first cells of a page's table rows that are one word in backticks. */
function words(page: string): string[] {
  return [...page.matchAll(/^\| `([a-z0-9-]+)` +\|/gm)].map(([, word]) => word ?? '');
}

/** The Markdown files of the project. */
const PAGES = ['.', 'docs', 'fixtures', 'lab'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

test('docs/findings.md explains every finding and no other', () => {
  expect(words(read('docs/findings.md')).sort()).toEqual([...FINDING_CODES].sort());
});

test('docs/findings.md calls those findings planned that no rule produces', () => {
  const rules = readdirSync(join(ROOT, 'src/tcp/findings')).map((name) => name.replace('.ts', ''));
  const rows = read('docs/findings.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'));

  for (const row of rows) {
    const code = words(row)[0] ?? '';
    const isProduced = rules.some((rule) =>
      read(`src/tcp/findings/${rule}.ts`).includes(`'${code}'`),
    );
    expect(/[*_]planned[*_]/.test(row), code).toBe(!isProduced);
  }
});

test.each([
  ['opened', HANDSHAKE_KINDS],
  ['closed', CLOSE_KINDS],
])('the README has a line for every way in which a connection is %s', (title, kinds) => {
  const readme = read('README.md');
  const start = readme.search(new RegExp(`^\\| ${title} `, 'm'));
  const table = readme.slice(start, readme.indexOf('\n\n', start));

  expect(start).toBeGreaterThan(0);
  expect(words(table)).toEqual([...kinds]);
});

test('docs/limits.md has a line for each of sixty cases, and every fixture that it names is there', () => {
  const page = read('docs/limits.md');
  const numbers = [...page.matchAll(/^\| (\d+) +\|/gm)].map(([, number]) => Number(number));
  const topics = 'artifact|close|container|handshake|kernel|reuse|rst|state';
  const named = [...page.matchAll(new RegExp(`\`((?:${topics})/[a-z0-9.-]+)\``, 'g'))];
  const missing = named
    .map(([, name]) => name ?? '')
    .filter((name) => {
      const [topic = '', start = ''] = name.split('/');
      return !readdirSync(join(ROOT, 'fixtures', topic)).some((file) => file.startsWith(start));
    });

  expect(numbers).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  expect(named.length).toBeGreaterThan(50);
  expect(missing).toEqual([]);
});

test.each(PAGES)('every file that %s points to is there', (page) => {
  const targets = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(
    ([, target]) => join(page, '..', target ?? ''),
  );

  expect(targets.filter((target) => !existsSync(join(ROOT, target)))).toEqual([]);
});
