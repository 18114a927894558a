/** The numbers of a connection that aren't in its story, so that a template can be filled from them. */

import {
  COUNT_NAMES,
  COUNTS as COUNTS_OF_END,
  type EndFigures,
  FIGURES_OF_END,
  MAX_BYTES_IN_FLIGHT,
  MAX_WINDOW,
  MISSING_BYTES,
  RTT_MAX,
  RTT_MEDIAN,
  RTT_MIN,
  RTT_P95,
  RTT_SAMPLES,
  UNIQUE_BYTES,
} from '../tcp/figures.ts';
import type { FinishedConnection } from '../tcp/finished.ts';
import type { Close } from '../tcp/verdicts.ts';
import type { ConnectionRecord } from './record.ts';

/** Places of an object's numbers, by their keys: in `values`, or from FIGURES_FROM on in the figures of transfer, the client's first. */
type Places = Readonly<Record<string, number>>;

const RECORD = { stream: 0, duration: 1, firstFrame: 2, lastFrame: 3, duplicateFrames: 4 };
const CLIENT = { port: 5 };
const SERVER = { port: 6 };
const PACKETS = { client: 7, server: 8 };
const BYTES = { client: 9, server: 10 };
const CLOSE = { bytesAfterFin: 11 };
const NUMBERS = 12;
export const FIGURES_FROM = 256;
const COUNTS = Object.fromEntries(COUNT_NAMES.map((name, i) => [name, i]));
const SIZES = {
  maxWindow: MAX_WINDOW,
  uniqueBytes: UNIQUE_BYTES,
  missingBytes: MISSING_BYTES,
  maxBytesInFlight: MAX_BYTES_IN_FLIGHT,
};
const RTT = {
  samples: RTT_SAMPLES,
  min: RTT_MIN,
  median: RTT_MEDIAN,
  p95: RTT_P95,
  max: RTT_MAX,
};

/** The place of a number that is the same in all connections with the same parts. */
export const SAME = -1;

/** The parts that a connection has, a bit each: between others numbers are 0 or missing in a record. Shifted by the side where they are a side's. */
const HAS_COUNTS = 1 << 0;
const HAS_SAMPLES = 1 << 2;
const LACKS_BYTES = 1 << 4;
const REUSES_PORTS = 1 << 6;
const HAS_DUPLICATES = 1 << 7;

/** The numbers of one connection after the other. */
export class RecordNumbers {
  /** Times in nanoseconds. */
  readonly values = new Float64Array(NUMBERS);

  /** Takes the numbers of `finished`, whose roles are known, and of its `close`: its parts. Hot path, once a connection. */
  fill(finished: FinishedConnection, close: Close): number {
    const v = this.values;
    const { bytes, clientEnd: c, duplicates, packets, port, transfer } = finished;
    const s = c === 0 ? 1 : 0;
    v[RECORD.stream] = finished.stream;
    v[RECORD.duration] = finished.durationNs;
    v[RECORD.firstFrame] = finished.firstFrame;
    v[RECORD.lastFrame] = finished.lastFrame;
    v[RECORD.duplicateFrames] = duplicates;
    v[CLIENT.port] = port[c];
    v[SERVER.port] = port[s];
    v[PACKETS.client] = packets[c];
    v[PACKETS.server] = packets[s];
    v[BYTES.client] = bytes[c];
    v[BYTES.server] = bytes[s];
    v[CLOSE.bytesAfterFin] = close.bytesAfterFin ?? 0;
    return (
      partsOf(transfer[c]) |
      (partsOf(transfer[s]) << 1) |
      (finished.reusedPorts ? REUSES_PORTS : 0) |
      (duplicates > 0 ? HAS_DUPLICATES : 0)
    );
  }
}

/** The parts that an end has. */
function partsOf({ hasCounts, values }: EndFigures): number {
  let counted = 0;
  for (let i = 0; hasCounts && i < COUNTS_OF_END; i++) counted += values[i] as number;
  return (
    (counted > 0 ? HAS_COUNTS : 0) |
    (values[RTT_SAMPLES] === 0 ? 0 : HAS_SAMPLES) |
    (values[MISSING_BYTES] === 0 ? 0 : LACKS_BYTES)
  );
}

/** Where the numbers of `r`, the record of a connection with these parts, and of what it holds stand. */
export function placesOf(r: ConnectionRecord, parts: number): ReadonlyMap<object, Places> {
  const map = new Map<object, Places>([
    [r, (parts & HAS_DUPLICATES) === 0 ? { ...RECORD, duplicateFrames: SAME } : RECORD],
    [r.client, CLIENT],
    [r.server, SERVER],
    [r.packets, PACKETS],
    [r.bytes, BYTES],
    [r.close, r.close.bytesAfterFin === 0 ? { bytesAfterFin: SAME } : CLOSE],
  ]);
  const { client, server } = r.transfer;
  for (const [d, side] of [client, server].entries()) {
    const places = moved({ ...SIZES, ...COUNTS }, FIGURES_FROM + d * FIGURES_OF_END);
    if ((parts & (HAS_COUNTS << d)) === 0) for (const name of COUNT_NAMES) places[name] = SAME;
    if ((parts & (LACKS_BYTES << d)) === 0) places.missingBytes = SAME;
    map.set(side, places);
    if (side.rtt !== null) map.set(side.rtt, moved(RTT, FIGURES_FROM + d * FIGURES_OF_END));
  }
  return map;
}

function moved(places: Places, by: number): Record<string, number> {
  return Object.fromEntries(Object.entries(places).map(([key, place]) => [key, place + by]));
}
