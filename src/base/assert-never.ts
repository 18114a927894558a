/** The default branch of a switch over a union: a kind without a case then fails to compile. */

/** Throws; reached only where a value breaks its type. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}
