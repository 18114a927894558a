/** What the native readers share: frames out of a window of bytes, damage where the bytes end too early. */

import type { Damage } from '../base/errors.ts';
import type { CaptureFormat, CaptureInterface, FrameBatch, FrameSource } from './source.ts';
import type { Window } from './window.ts';

/** Different warnings of one capture: a hostile file could make one a block. */
const MAX_WARNINGS = 100;

/** A reader over a `Window`. A subclass walks its records in `fill` and says with `stopFor` what it lacks. */
export abstract class WindowSource implements FrameSource {
  readonly name: string;
  abstract readonly format: CaptureFormat;
  readonly interfaces: CaptureInterface[] = [];
  damage: Damage | null = null;
  protected readonly window: Window;
  readonly #warnings: string[] = [];
  #neededBytes = 1;

  constructor(name: string, window: Window) {
    this.name = name;
    this.window = window;
  }

  get warnings(): readonly string[] {
    const ofInput = this.window.input.warnings;
    return ofInput.length === 0 ? this.#warnings : [...this.#warnings, ...ofInput];
  }

  get bytesRead(): number {
    return this.window.input.bytesRead;
  }

  get bytesTotal(): number | null {
    return this.window.input.bytesTotal;
  }

  abstract fill(batch: FrameBatch): number;

  async more(): Promise<boolean> {
    if (this.damage !== null) return false;
    if (await this.window.need(this.#neededBytes)) return true;

    const cause = this.window.input.damage;
    if (cause !== null) {
      this.damage = { code: cause.code, offset: this.window.offset, message: cause.message };
    } else if (this.window.available > 0) {
      this.damage = this.describeTail(this.window.available, this.#neededBytes);
    }
    return false;
  }

  async close(): Promise<void> {
    await this.window.input.close();
  }

  /** Whatever ends the capture within a record: `found` bytes are there, `expected` were needed. */
  protected abstract describeTail(found: number, expected: number): Damage;

  /** The walk can't go on before `neededBytes` from the window's start are at hand. */
  protected stopFor(neededBytes: number): void {
    this.#neededBytes = neededBytes;
  }

  /** Ends the capture at the window's start. */
  protected stopAtDamage(code: string, message: string): void {
    this.damage = { code, offset: this.window.offset, message };
  }

  /** Says `message` once, however often it comes up. */
  protected warn(message: string): void {
    if (this.#warnings.length < MAX_WARNINGS && !this.#warnings.includes(message)) {
      this.#warnings.push(message);
    }
  }
}
