/** A table of rows of figures by key that holds the largest: what falls off is added up and counted. */

/** IPv4 keys are numbers, others text: a capture of a million connections makes no string for each. */
export type RowKey = number | string;

/** Plain data, so that a thread can hand it to another. */
export interface TopTable {
  rows: Map<RowKey, Float64Array>;
  /** Figures of a row. */
  width: number;
  /** Which figure says what is large. */
  weight: number;
  /** Rows at most. */
  limit: number;
  /** What fell off, added up, and how many rows that were; a key that fell off and came back counts again. */
  beyond: Float64Array;
  fellOff: number;
}

/** An empty table. */
export function createTopTable(width: number, weight: number, limit: number): TopTable {
  const beyond = new Float64Array(width);
  return { rows: new Map(), width, weight, limit, beyond, fellOff: 0 };
}

/** The row of `key`, made where there is none; then the smaller half may fall off first. */
export function rowOf(table: TopTable, key: RowKey): Float64Array {
  const row = table.rows.get(key);
  if (row !== undefined) return row;
  if (table.rows.size >= table.limit) prune(table);
  const made = new Float64Array(table.width);
  table.rows.set(key, made);
  return made;
}

/** Adds the figures of `more` to `sums`. */
export function addRow(sums: Float64Array, more: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + (more[i] ?? 0);
}

/** Adds a table of the same kind. */
export function addTable(table: TopTable, more: TopTable): void {
  for (const [key, row] of more.rows) addRow(rowOf(table, key), row);
  addRow(table.beyond, more.beyond);
  table.fellOff += more.fellOff;
}

/** The rows, largest first; equal ones in the order of their keys, so that no order of reading shows. */
export function sortedRows(table: TopTable): [RowKey, Float64Array][] {
  const { rows, weight } = table;
  return [...rows].sort(
    ([keyA, a], [keyB, b]) => (b[weight] ?? 0) - (a[weight] ?? 0) || compareKeys(keyA, keyB),
  );
}

function compareKeys(a: RowKey, b: RowKey): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Only the keys of rows that are equally large are sorted as keys: a table of many that are all different is as quick as one of numbers. */
function prune(table: TopTable): void {
  const { beyond, limit, rows, weight } = table;
  const kept = Math.floor(limit / 2);
  const weights = Float64Array.from(rows.values(), (row) => row[weight] ?? 0).sort();
  const least = weights[weights.length - kept] ?? Number.POSITIVE_INFINITY;
  const equal: RowKey[] = [];
  let larger = 0;
  for (const [key, row] of rows) {
    const own = row[weight] ?? 0;
    if (own > least) larger++;
    else if (own === least) equal.push(key);
  }
  const stay = new Set(equal.sort(compareKeys).slice(0, kept - larger));
  for (const [key, row] of rows) {
    if ((row[weight] ?? 0) > least || stay.has(key)) continue;
    rows.delete(key);
    addRow(beyond, row);
    table.fellOff++;
  }
}
