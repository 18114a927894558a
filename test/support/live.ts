/** Two network namespaces with a cable between them, and `finwait live` run in one: for tests that need root and Linux. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildInto } from './built.ts';
import { ROOT } from './command.ts';

export const CLIENT_IP = '10.89.0.1';
export const SERVER_IP = '10.89.0.2';
const SERVER_PORT = 8080;
/** A machine that is busy with other tests starts programs slowly. */
const READY_MS = 30_000;

/** Why live tests can't run here, or null. */
export function whyNoLive(): string | null {
  if (process.platform !== 'linux') return 'not Linux';
  if (process.getuid?.() !== 0) return 'not root';
  for (const program of ['ip', 'python3', 'tcpdump', 'dumpcap']) {
    if (!hasProgram(program)) return `${program} is not installed`;
  }
  const name = `finwait-try-${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return 'no network namespaces';
  spawnSync('ip', ['netns', 'del', name]);
  return null;
}

export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

/** Whether the optional package was built. */
export const hasCap = existsSync(`${ROOT}/node_modules/cap/build/Release/cap.node`);

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}

let built: string | null = null;

/** The program, built for these tests: from its sources each start would take seconds. */
export function builtMain(): string {
  built ??= buildInto(mkdtempSync(join(tmpdir(), 'finwait-test-')));
  return built;
}

/** Takes it away again. */
export function removeBuilt(): void {
  if (built !== null) rmSync(join(built, '../../..'), { recursive: true, force: true });
  built = null;
}

let made = 0;

/** A pair of namespaces; a0 with CLIENT_IP in `client`, b0 with SERVER_IP in `server`. */
export class Cable {
  readonly client: string;
  readonly server: string;
  readonly #children: ChildProcess[] = [];

  constructor() {
    const tag = `finwait-test-${process.pid}-${made++}`;
    this.client = `${tag}-c`;
    this.server = `${tag}-s`;
    for (const name of [this.client, this.server]) ip('netns', 'add', name);
    const peer = ['peer', 'name', 'b0', 'netns', this.server];
    ip('link', 'add', 'a0', 'netns', this.client, 'type', 'veth', ...peer);
    ip('-n', this.client, 'addr', 'add', `${CLIENT_IP}/24`, 'dev', 'a0');
    ip('-n', this.server, 'addr', 'add', `${SERVER_IP}/24`, 'dev', 'b0');
    this.link('up');
    ip('-n', this.server, 'link', 'set', 'b0', 'up');
    ip('-n', this.client, 'link', 'set', 'lo', 'up');
  }

  /** Brings a0 up or down, or takes it away. */
  link(what: 'up' | 'down' | 'gone'): void {
    if (what === 'gone') ip('-n', this.client, 'link', 'del', 'a0');
    else ip('-n', this.client, 'link', 'set', 'a0', what);
  }

  /** Adds an interface that is down. */
  addDown(name: string): void {
    ip('-n', this.client, 'link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`);
  }

  /** Starts `finwait ARGS` in the client's namespace; `wrap` stands before the program. */
  finwait(args: readonly string[], wrap: readonly string[] = []): Running {
    const node = [process.execPath, builtMain()];
    const command = ['netns', 'exec', this.client, ...wrap, ...node, ...args];
    const child = spawn('ip', command, { cwd: ROOT });
    this.#children.push(child);
    return new Running(child);
  }

  /** Runs lab/talk.py to its end. */
  async talk(...args: string[]): Promise<void> {
    const command = ['lab/talk.py', this.client, this.server, SERVER_IP, String(SERVER_PORT)];
    const child = spawn('python3', [...command, ...args], { cwd: ROOT, stdio: 'inherit' });
    this.#children.push(child);
    await new Promise((resolve) => child.on('exit', resolve));
  }

  close(): void {
    for (const child of this.#children) if (child.exitCode === null) child.kill('SIGKILL');
    for (const name of [this.client, this.server]) spawnSync('ip', ['netns', 'del', name]);
  }
}

/** A program that runs. */
class Running {
  stdout = '';
  stderr = '';
  readonly child: ChildProcess;
  readonly #exited: Promise<number | null>;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on('data', (data) => {
      this.stdout += data;
    });
    child.stderr?.on('data', (data) => {
      this.stderr += data;
    });
    this.#exited = new Promise((resolve) => child.on('close', (code) => resolve(code)));
  }

  /** Waits until standard error or output has `text`. */
  async until(text: string | RegExp): Promise<void> {
    const began = Date.now();
    const isThere = (): boolean =>
      [this.stdout, this.stderr].some((said) =>
        typeof text === 'string' ? said.includes(text) : text.test(said),
      );
    while (!isThere()) {
      if (Date.now() - began > READY_MS || this.child.exitCode !== null) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        if (isThere()) return;
        throw new Error(`waited for ${text}, found:\n${this.stdout}${this.stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  ready(): Promise<void> {
    return this.until('capturing with');
  }

  /** Its exit status, once it has ended. */
  ended(): Promise<number | null> {
    return this.#exited;
  }

  stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    this.child.kill(signal);
    return this.ended();
  }

  lines<T>(): T[] {
    return this.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }
}
