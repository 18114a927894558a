/** Counts for people: thousands apart, and the noun as the number wants it. Machine formats never use these. */

/** `1234567` as `1,234,567`. */
export function humanCount(count: number): string {
  return count < 1000 ? String(count) : String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 frame`, `2 frames`. */
export function plural(count: number, noun: string): string {
  return `${humanCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `once`, `twice`, `3 times`. */
export function times(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${humanCount(count)} times`;
}
