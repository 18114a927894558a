/**
 * Runs every example of README.md against the built program and compares the output with what README.md shows;
 * `--write` puts the real output there instead. Exit status 1 where they differ.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const README = join(ROOT, 'README.md');
/** Columns of the tables and diagrams shown. */
const COLUMNS = '100';
/** The two commands, each on a line of its own, as readers and .ci/run look for them. */
const COMMANDS = ['npm ci && node dist/cli/main.js fixtures/demo.pcap', 'npm ci && npm test'];

function run(command: string, args: readonly string[]): string {
  const env = { ...process.env, COLUMNS, LC_ALL: 'C.UTF-8', NO_COLOR: '1' };
  const result = spawnSync(command, args, { cwd: ROOT, env, encoding: 'utf8' });
  if (result.status === null) throw result.error ?? new Error(`${command} was stopped`);
  return result.stdout + result.stderr;
}

/** What a shell prints for a line in which `finwait` is the built program. */
function runShell(line: string): string {
  return run('sh', ['-c', `finwait() { node dist/cli/main.js "$@"; }\n${line}`]);
}

/** What a program prints that imports `finwait` by its name. */
function runModule(source: string): string {
  return run(process.execPath, ['--input-type=module', '--eval', source]);
}

/** A console example with the output of each of its commands as it is today. */
function consoleExample(body: string): string {
  const commands = body.split('\n').filter((line) => line.startsWith('$ '));
  const parts = commands.map((line) => `${line}\n${trimLines(runShell(line.slice(2)))}`);
  return parts.join('\n').replace(/\n+$/, '\n');
}

function trimLines(text: string): string {
  return text.replace(/[ \t]+$/gm, '');
}

let examples = 0;

function renew(text: string): string {
  return text
    .replace(/^```console\n([\s\S]*?)^```$/gm, (_, body: string) => {
      examples += 1;
      return `\`\`\`console\n${consoleExample(body)}\`\`\``;
    })
    .replace(/^```js\n([\s\S]*?)^```\n\n```text\n[\s\S]*?^```$/gm, (_, source: string) => {
      examples += 1;
      const output = trimLines(runModule(source));
      return `\`\`\`js\n${source}\`\`\`\n\n\`\`\`text\n${output}\`\`\``;
    });
}

function diff(shown: string, real: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'finwait-readme-'));
  try {
    writeFileSync(join(folder, 'shown'), shown);
    writeFileSync(join(folder, 'real'), real);
    return spawnSync('diff', ['-u', 'shown', 'real'], { cwd: folder, encoding: 'utf8' }).stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const shown = readFileSync(README, 'utf8');
const real = renew(shown);
const missing = COMMANDS.filter((command) => !shown.split('\n').includes(command));
for (const command of missing) process.stderr.write(`README.md has no line '${command}'\n`);
if (examples < 4) process.stderr.write(`README.md: expected four examples, found ${examples}\n`);
if (process.argv.includes('--write')) writeFileSync(README, real);
else if (real !== shown) {
  process.stderr.write("README.md's examples print something else; --write renews them:\n");
  process.stderr.write(`${diff(shown, real)}`);
}
if (missing.length > 0 || examples < 4 || (real !== shown && !process.argv.includes('--write')))
  process.exitCode = 1;
else process.stdout.write(`${examples} examples of README.md print what it shows\n`);
