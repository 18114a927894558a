/**
 * Checks what `npm pack` would publish: all that a user needs and nothing else, an executable program, and a library that a
 * TypeScript project can import from the packed files. Needs no network. Exit status 1 where something is wrong.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ALWAYS = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'dist/cli/main.js',
  'dist/index.d.ts',
  'dist/index.js',
  'docs/record.schema.json',
  'package.json',
];
const BESIDE_DIST = new Set(ALWAYS.filter((path) => !path.startsWith('dist/')));
const BUILT = /^dist\/(\w[\w-]*\/)*[\w-]+(\.d)?\.[jt]s$/;

/** What a project that uses the package writes. */
const CONSUMER = `import { analyze, CaptureError, type CloseKind, type ConnectionRecord } from 'finwait';
const kinds: CloseKind[] = [];
for await (const record of analyze(process.argv[2] ?? '')) kinds.push((record satisfies ConnectionRecord).close.kind);
const isError: boolean = new Error() instanceof CaptureError;
console.log(kinds.length, kinds[0], isError);
`;
/** How projects have TypeScript find packages; the first writes the program that is run. Types of packages are checked, too. */
const CONSUMER_OPTIONS = [
  { module: 'nodenext' },
  { module: 'node16', noEmit: true },
  { module: 'esnext', moduleResolution: 'bundler', noEmit: true },
];

interface Packed {
  filename: string;
  files: { path: string; mode: number }[];
}

const wrong: string[] = [];
const check = (isRight: boolean, otherwise: string): void => {
  if (!isRight) wrong.push(otherwise);
};

function pack(folder: string): Packed {
  const args = ['pack', '--ignore-scripts', '--json', '--silent', '--pack-destination', folder];
  const text = execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' });
  const [packed]: Packed[] = JSON.parse(text);
  if (packed === undefined) throw new Error('expected npm pack to tell of one package, found none');
  return packed;
}

function checkFiles({ files }: Packed): void {
  const paths = files.map(({ path }) => path);
  for (const path of ALWAYS) check(paths.includes(path), `${path} is missing from the package`);
  for (const path of paths) {
    check(BUILT.test(path) || BESIDE_DIST.has(path), `${path} does not belong into the package`);
    const source = path.replace(/^dist\//, 'src/').replace(/\.d\.ts$/, '.ts');
    if (path.endsWith('.d.ts')) check(isSource(source), `${path} has no source ${source}: stale`);
  }
  const scripts = paths.filter((path) => path.startsWith('dist/') && path.endsWith('.js'));
  const texts = new Map(scripts.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]));
  for (const path of scripts) {
    // As a specifier or an address, in quotes; the end of one may be chosen while it runs.
    const named = new RegExp(`["'\`][./a-z]*/${basename(path, '.js')}\\.(js["']|\\$)`);
    const others = [...texts].filter(([other]) => other !== path);
    const isUsed = ALWAYS.includes(path) || others.some(([, text]) => named.test(text));
    check(isUsed, `${path} is loaded by nothing else in the package: stale`);
  }
  const library = loadedBy('dist/index.js', texts);
  check(!library.has('dist/parts/command-line.js'), 'the library loads the command line');
  const program = files.find(({ path }) => path === 'dist/cli/main.js');
  check(((program?.mode ?? 0) & 0o111) === 0o111, 'dist/cli/main.js is not executable');
  const start = readFileSync(join(ROOT, 'dist/cli/main.js'), 'utf8').slice(0, 20);
  check(start.startsWith('#!/usr/bin/env node\n'), 'dist/cli/main.js has no shebang line');
}

/** The modules that loading `path` loads, itself among them. */
function loadedBy(path: string, texts: ReadonlyMap<string, string>): Set<string> {
  const loaded = new Set([path]);
  for (const one of loaded) {
    for (const [, other = ''] of (texts.get(one) ?? '').matchAll(/^import .*"(\..*)";$/gm)) {
      loaded.add(join(dirname(one), other));
    }
  }
  return loaded;
}

const SOURCES = new Set(
  readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).map((p) => `src/${p}`),
);
function isSource(path: string): boolean {
  return SOURCES.has(path);
}

/** Unpacks the package where npm would, its dependencies (none of the tools) beside it, and uses it. */
function checkUse(folder: string, { filename, files }: Packed): void {
  const modules = join(folder, 'node_modules');
  const own = join(modules, 'finwait');
  mkdirSync(own, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, filename), '-C', own, '--strip-components=1']);
  const { dependencies } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  mkdirSync(join(own, 'node_modules'));
  const install = (name: string, into: string): void =>
    symlinkSync(join(ROOT, 'node_modules', name), join(into, name));
  for (const name of Object.keys(dependencies)) install(name, join(own, 'node_modules'));
  mkdirSync(join(modules, '@types'));
  install('@types/node', modules);

  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'consumer.ts'), CONSUMER);
  const demo = join(ROOT, 'fixtures/demo.pcap');
  const node = process.execPath;
  const inFolder = { cwd: folder, encoding: 'utf8' } as const;
  for (const options of CONSUMER_OPTIONS) {
    const compilerOptions = { ...options, strict: true, target: 'es2022', types: ['node'] };
    const config = JSON.stringify({ compilerOptions, include: ['consumer.ts'] });
    writeFileSync(join(folder, 'tsconfig.json'), config);
    const args = [join(ROOT, 'node_modules/typescript/bin/tsc'), '--listFiles'];
    const { status, stdout } = spawnSync(node, args, inFolder);
    const what = JSON.stringify(options);
    check(status === 0, `the types of the package don't compile with ${what}: ${stdout}`);
    for (const { path } of files.filter((file) => file.path.endsWith('.d.ts'))) {
      check(stdout.includes(`/finwait/${path}\n`), `${path} is no part of the library's types`);
    }
  }
  const library = spawnSync(node, ['consumer.js', demo], inFolder);
  check(
    library.stdout === '12 3-way-merged false\n',
    `the packed library says ${library.stdout}${library.stderr}`,
  );
  const program = spawnSync(node, [join(own, 'dist/cli/main.js'), '-f', 'csv', demo], inFolder);
  const lines = program.stdout.split('\n').length - 1;
  check(lines === 13, `the packed program prints ${lines} lines: ${program.stderr}`);
  const version = spawnSync(node, [join(own, 'dist/cli/main.js'), '--version'], inFolder);
  check(/^\d+\.\d+\.\d+\n$/.test(version.stdout), `--version prints ${version.stdout}`);
}

const folder = mkdtempSync(join(tmpdir(), 'finwait-pack-'));
try {
  const packed = pack(folder);
  checkFiles(packed);
  checkUse(folder, packed);
  for (const line of wrong) process.stderr.write(`${line}\n`);
  if (wrong.length > 0) process.exitCode = 1;
  else process.stdout.write(`${packed.files.length} files in the package, and it works\n`);
} finally {
  rmSync(folder, { recursive: true });
}
