/** What is used of the `cap` package, which has no types of its own. */

declare module 'cap' {
  interface Cap {
    /** Starts capturing into `buffer`; returns the link type as a word. */
    open(device: string, filter: string, bufSize: number, buffer: Buffer): string;
    close(): boolean;
    on(event: 'packet', listener: (bytes: number, truncated: boolean) => void): this;
  }
  const addon: { Cap: new () => Cap };
  export = addon;
}
