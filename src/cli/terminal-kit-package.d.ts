/** What is used of the `terminal-kit` package, which has no types of its own. */

declare module 'terminal-kit' {
  interface Attributes {
    color?: string;
    bold?: boolean;
    dim?: boolean;
    inverse?: boolean;
  }
  interface Terminal {
    width: number;
    height: number;
    fullscreen(on: boolean): void;
    grabInput(on: boolean): void;
    hideCursor(hide?: boolean): void;
    on(event: 'key', listener: (name: string) => void): void;
    on(event: 'resize', listener: (width: number, height: number) => void): void;
    removeAllListeners(event: string): void;
  }
  class ScreenBuffer {
    constructor(options: { dst: Terminal; width?: number; height?: number; noFill?: boolean });
    fill(options: { attr?: Attributes; char?: string }): void;
    put(
      options: { x: number; y: number; attr?: Attributes },
      format: string,
      ...values: string[]
    ): void;
    draw(options: { delta: boolean }): void;
  }
  const kit: { terminal: Terminal; ScreenBuffer: typeof ScreenBuffer };
  export = kit;
}
