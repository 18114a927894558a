/** The numbers of a record that aren't in its story, side by side, so that a template can be filled from them. */

import { COUNT_NAMES, isQuiet, type TransferSide } from '../tcp/figures.ts';
import type { ConnectionRecord } from './record.ts';

/** Places of an object's numbers, by their keys. */
type Places = Readonly<Record<string, number>>;

const RECORD = { stream: 0, duration: 1, firstFrame: 2, lastFrame: 3, duplicateFrames: 4 };
const CLIENT = { port: 5 };
const SERVER = { port: 6 };
const PACKETS = { client: 7, server: 8 };
const BYTES = { client: 9, server: 10 };
const ISN = { client: 11, server: 12 };
const HANDSHAKE = { serverRtt: 13, clientRtt: 14, handshakeRtt: 15 };
const CLOSE = { finToAck: 16, closeWait: 17, finWait2: 18, total: 19, bytesAfterFin: 20 };
/** The numbers of the client's side of the transfer begin here, those of the server's SIDE_NUMBERS further. */
const SIDES = 21;
const SIZES = { maxWindow: 0, uniqueBytes: 1, missingBytes: 2, maxBytesInFlight: 3 };
const RTT = { samples: 4, min: 5, median: 6, p95: 7, max: 8 };
const FIRST_COUNT = 9;
const COUNTS = Object.fromEntries(COUNT_NAMES.map((name, i) => [name, FIRST_COUNT + i]));
const SIDE_NUMBERS = FIRST_COUNT + COUNT_NAMES.length;

/** The numbers of one record after the other. */
export class RecordNumbers {
  /** In the units of the record; what is null there means nothing. */
  readonly values = new Float64Array(SIDES + 2 * SIDE_NUMBERS);
  /** Whether there are counts other than 0 among them, per side. */
  readonly #hasCounts = [false, false];

  /** Takes the numbers of `r`. Hot path, once a connection. */
  fill(r: ConnectionRecord): void {
    const v = this.values;
    const { client, server, packets, bytes, transfer, handshake, close } = r;
    v[RECORD.stream] = r.stream;
    v[RECORD.duration] = r.duration;
    v[RECORD.firstFrame] = r.firstFrame;
    v[RECORD.lastFrame] = r.lastFrame;
    v[RECORD.duplicateFrames] = r.duplicateFrames;
    v[CLIENT.port] = client.port;
    v[SERVER.port] = server.port;
    v[PACKETS.client] = packets.client;
    v[PACKETS.server] = packets.server;
    v[BYTES.client] = bytes.client;
    v[BYTES.server] = bytes.server;
    v[ISN.client] = handshake.isn.client ?? 0;
    v[ISN.server] = handshake.isn.server ?? 0;
    v[HANDSHAKE.serverRtt] = handshake.serverRtt ?? 0;
    v[HANDSHAKE.clientRtt] = handshake.clientRtt ?? 0;
    v[HANDSHAKE.handshakeRtt] = handshake.handshakeRtt ?? 0;
    v[CLOSE.finToAck] = close.finToAck ?? 0;
    v[CLOSE.closeWait] = close.closeWait ?? 0;
    v[CLOSE.finWait2] = close.finWait2 ?? 0;
    v[CLOSE.total] = close.total ?? 0;
    v[CLOSE.bytesAfterFin] = close.bytesAfterFin ?? 0;
    this.#fillSide(0, transfer.client);
    this.#fillSide(1, transfer.server);
  }

  #fillSide(d: 0 | 1, side: TransferSide): void {
    const v = this.values;
    const at = SIDES + d * SIDE_NUMBERS;
    v[at + SIZES.maxWindow] = side.maxWindow;
    v[at + SIZES.uniqueBytes] = side.uniqueBytes;
    v[at + SIZES.missingBytes] = side.missingBytes;
    v[at + SIZES.maxBytesInFlight] = side.maxBytesInFlight;
    const { rtt } = side;
    if (rtt !== null) {
      v[at + RTT.samples] = rtt.samples;
      v[at + RTT.min] = rtt.min;
      v[at + RTT.median] = rtt.median;
      v[at + RTT.p95] = rtt.p95;
      v[at + RTT.max] = rtt.max;
    }
    const hasCounts = !isQuiet(side);
    if (!hasCounts && !this.#hasCounts[d]) return;
    this.#hasCounts[d] = hasCounts;
    for (const [i, name] of COUNT_NAMES.entries()) v[at + FIRST_COUNT + i] = side[name];
  }
}

/** Where the numbers of `r` and of what it holds stand. */
export function placesOf(r: ConnectionRecord): ReadonlyMap<object, Places> {
  const map = new Map<object, Places>([
    [r, RECORD],
    [r.client, CLIENT],
    [r.server, SERVER],
    [r.packets, PACKETS],
    [r.bytes, BYTES],
    [r.handshake.isn, ISN],
    [r.handshake, HANDSHAKE],
    [r.close, CLOSE],
  ]);
  const { client, server } = r.transfer;
  for (const [d, side] of [client, server].entries()) {
    const at = SIDES + d * SIDE_NUMBERS;
    map.set(side, shifted({ ...SIZES, ...COUNTS }, at));
    if (side.rtt !== null) map.set(side.rtt, shifted(RTT, at));
  }
  return map;
}

function shifted(places: Places, by: number): Places {
  return Object.fromEntries(Object.entries(places).map(([key, place]) => [key, place + by]));
}
