/** docs/errors.md explains every code there is, and none that there is not. */

import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/errors.md');
const documented = new Set(
  page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([a-z0-9-]+)`/g)])
    .map(([, code]) => code),
);

test('every code of CaptureError is explained in docs/errors.md', () => {
  const union =
    /export type CaptureErrorCode =([^;]+);/.exec(read('src/base/errors.ts'))?.[1] ?? '';
  const codes = [...union.matchAll(/'([a-z-]+)'/g)].map(([, code]) => code);

  expect(codes.length).toBeGreaterThan(5);
  for (const code of codes) expect(documented).toContain(code);
});

test('every code of damage is explained in docs/errors.md, and no code that there is none of', () => {
  const folder = new URL('../../src/capture', import.meta.url);
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => read(`src/capture/${name}`))
    .join('\n');
  const fixed = [
    ...sources.matchAll(/(?:stopAtDamage|#stop)\(\s*'([a-z-]+)'/g),
    ...sources.matchAll(/code: '([a-z-]+)'/g),
  ].map(([, code]) => code);
  const ofCompression = ['gzip', 'zstd', 'lz4'].flatMap((kind) => [
    `bad-${kind}`,
    `truncated-${kind}`,
  ]);
  const codes = [...fixed, ...ofCompression];
  const union =
    /export type CaptureErrorCode =([^;]+);/.exec(read('src/base/errors.ts'))?.[1] ?? '';

  for (const code of codes) expect(documented).toContain(code);
  for (const code of documented) {
    expect(codes.includes(code) || union.includes(`'${code}'`), `${code} exists`).toBe(true);
  }
});
