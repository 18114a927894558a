/** Guards the direction of imports (docs/architecture.md). */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const SRC = path.join(import.meta.dirname, '..', 'src');

/** From left to right: a layer imports from those before it and from `base`. */
const LAYERS = ['base', 'capture', 'decode', 'flow', 'tcp', 'report', 'cli'];
/** Layers that read no file and no clock and import no package. */
const PURE = ['base', 'decode', 'flow', 'tcp'];
/** Packages the other layers may import, beside Node's own modules. */
const PACKAGES: Record<string, RegExp> = {
  capture: /^(node:.*|pcap-parser|fzstd|lz4.*)$/,
  report: /^(node:crypto|cli-table3)$/,
  cli: /^(node:.*|commander|cli-table3|piscina)$/,
  root: /^node:(crypto|stream)$/,
};

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

const imports = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll(path.sep, '/'))
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  .flatMap(importsOf);

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

test('the other layers import only the packages they are allowed', () => {
  const wrong = imports.filter((one) => {
    if (one.target.startsWith('.') || PURE.includes(one.layer)) return false;
    return !(PACKAGES[one.layer]?.test(one.target) ?? false);
  });

  expect(wrong).toEqual([]);
});
