/** Guards the direction of imports (docs/architecture.md), and that exports are there for somebody. */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const SRC = path.join(import.meta.dirname, '..', 'src');

/** From left to right: a layer imports from those before it and from `base`. */
const LAYERS = ['base', 'capture', 'decode', 'flow', 'tcp', 'report', 'cli'];
/** Layers that read no file and no clock and import no package. */
const PURE = ['base', 'decode', 'flow', 'tcp'];
/** Packages and modules the others may import; what ends in a colon stands for all that begin so. */
const PACKAGES: Record<string, readonly string[]> = {
  capture: ['node:', 'pcap-parser', 'fzstd', 'cap'],
  report: ['cli-table3'],
  cli: ['node:', 'commander', 'piscina', 'prom-client', 'terminal-kit'],
  root: ['node:stream'],
};
/** What the files at the root of src/ may take of report/: what builds and counts records, no form of them. */
const REPORT_FOR_ROOT = ['build-record', 'counts', 'record', 'totals', 'zeek-view'];

function isAllowed(entry: string, target: string): boolean {
  return entry.endsWith(':') ? target.startsWith(entry) : target === entry;
}

interface Import {
  file: string;
  layer: string;
  target: string;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(SRC, file), 'utf8');
  const layer = file.includes('/') ? (file.split('/')[0] ?? '') : 'root';
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => ({
    file,
    layer,
    target: match[1] ?? '',
  }));
}

function sourcesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll(path.sep, '/'))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
}

const sources = sourcesOf(SRC);
const imports = sources.flatMap(importsOf);

function layerOf({ file, target }: Import): string | null {
  if (!target.startsWith('.')) return null;
  const resolved = path.posix.join(path.posix.dirname(file), target);
  return resolved.includes('/') ? (resolved.split('/')[0] ?? '') : 'root';
}

test('there are imports to look at in every layer', () => {
  for (const layer of LAYERS.filter((name) => name !== 'base')) {
    expect(
      imports.some((one) => one.layer === layer),
      layer,
    ).toBe(true);
  }
});

test('no import goes against the arrow capture > decode > flow > tcp > report > cli', () => {
  const wrong = imports.filter((one) => {
    const target = layerOf(one);
    if (target === null || target === one.layer) return false;
    if (one.layer === 'root') return target === 'cli';
    if (target === 'root') return one.layer !== 'cli';
    return LAYERS.indexOf(target) > LAYERS.indexOf(one.layer);
  });

  expect(wrong).toEqual([]);
});

test('base, decode, flow and tcp import no package and no module of Node', () => {
  const wrong = imports.filter((one) => PURE.includes(one.layer) && !one.target.startsWith('.'));

  expect(wrong).toEqual([]);
});

test('the files at the root take of report only what builds and counts records', () => {
  const allowed = REPORT_FOR_ROOT.map((name) => `./report/${name}.ts`);
  const taken = imports.filter((one) => one.layer === 'root' && layerOf(one) === 'report');

  expect(new Set(taken.map(({ target }) => target))).toEqual(new Set(allowed));
});

test('the other layers import the packages they are allowed, all of them and no others', () => {
  const foreign = imports.filter((one) => !one.target.startsWith('.') && !PURE.includes(one.layer));
  const wrong = foreign.filter(
    ({ layer, target }) => !PACKAGES[layer]?.some((entry) => isAllowed(entry, target)),
  );
  const unused = Object.entries(PACKAGES).flatMap(([layer, entries]) =>
    entries.filter(
      (entry) => !foreign.some((one) => one.layer === layer && isAllowed(entry, one.target)),
    ),
  );

  expect({ wrong, unused }).toEqual({ wrong: [], unused: [] });
});

test('every value that a file exports is named in a file that imports it, a test at least', () => {
  const root = path.join(SRC, '..');
  const files = ['src', 'test', 'bench', 'lab', 'fixtures'].flatMap((folder) =>
    sourcesOf(path.join(root, folder)).map((file) => `${folder}/${file}`),
  );
  const texts = new Map(files.map((file) => [file, readFileSync(path.join(root, file), 'utf8')]));
  /** By file, the words of those that import it, or start it as a thread. */
  const taken = new Map(files.map((file) => [file, new Set<string>()]));
  for (const [file, text] of texts) {
    const words = text.match(/\w+/g) ?? [];
    for (const [, target = ''] of text.matchAll(/'(\.{1,2}\/[^']+)\.[jt]s'/g)) {
      const found = taken.get(`${path.posix.join(path.posix.dirname(file), target)}.ts`);
      for (const word of words) found?.add(word);
    }
  }
  const exported = /^export (?:async )?(?:abstract )?(?:const|let|class|function\*?) (\w+)/gm;
  const unused = files.flatMap((file) =>
    [...(texts.get(file) ?? '').matchAll(exported)]
      .filter(([, name = '']) => taken.get(file)?.has(name) !== true)
      .map(([, name]) => `${file}: ${name}`),
  );

  expect(files.length).toBeGreaterThan(300);
  expect(unused).toEqual([]);
});
