/** Fixtures for tests: by name, or written inline as a conversation (fixtures/README.md). */

import { fileURLToPath } from 'node:url';
import { buildCapture } from '../../fixtures/containers.ts';
import { parseNotation } from '../../fixtures/notation.ts';
import { type AnalyzeOptions, analyze } from '../../src/analyze.ts';
import type { ConnectionRecord } from '../../src/report/record.ts';
import type { StateEntry } from '../../src/tcp/verdicts.ts';

/** The path of a built fixture, e.g. `close/3-way-merged.pcap`. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
}

/** Every connection of a fixture's name or of a capture's bytes, in the order of `stream`. */
export async function connectionsIn(
  input: string | Uint8Array,
  options: AnalyzeOptions = {},
): Promise<ConnectionRecord[]> {
  const records: ConnectionRecord[] = [];
  const source = typeof input === 'string' ? fixturePath(input) : input;
  for await (const record of analyze(source, options)) records.push(record);
  return records.sort((a, b) => a.stream - b.stream);
}

/** The one connection of a fixture or capture; throws where it holds none or several. */
export async function onlyConnectionIn(input: string | Uint8Array): Promise<ConnectionRecord> {
  const [record, ...others] = await connectionsIn(input);
  if (record === undefined || others.length > 0) {
    const found = record === undefined ? 0 : others.length + 1;
    throw new Error(`expected exactly one connection, found ${found}`);
  }
  return record;
}

/** A timeline as `'SYN_SENT > ESTABLISHED'`. */
export function path(states: readonly StateEntry[]): string {
  return states.map((entry) => entry.state).join(' > ');
}

/** A handshake of three steps. */
export const OPENED = `
  C > S S 0:0(0)
  S > C S. 0:0(0) ack 1
  C > S . 1:1(0) ack 1
`;

/** A conversation without data: opened in three steps, and closed in three by its client. */
export const OPENED_AND_CLOSED = `
  ${OPENED}
  C > S F. 1:1(0) ack 1
  S > C F. 1:1(0) ack 2
  C > S . 2:2(0) ack 2
`;

/** The bytes of the pcap or pcapng that an inline conversation describes. */
export function segments(text: TemplateStringsArray, ...values: (string | number)[]): Uint8Array {
  return buildCapture(parseNotation(String.raw(text, ...values)));
}
