/** Zeek's conn.log: read back by a strict reader, next to the JSON, and next to the logs that Zeek's own tests expect. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ZEEK_FIELDS } from '../../src/report/zeek.ts';
import { CAPTURES_FOLDER } from '../support/captures.ts';
import { finwait } from '../support/command.ts';
import { connectionsIn, fixturePath, segments } from '../support/fixtures.ts';

type Row = Record<string, string>;

const TIME = /^\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d$/;
const UNSET = '-';

/** What a value of each type looks like. */
const SHAPES: Record<string, RegExp> = {
  time: /^\d+\.\d{6}$/,
  interval: /^\d+\.\d{6}$/,
  string: /^[^\t\n#]+$/,
  addr: /^(\d+\.\d+\.\d+\.\d+|[0-9a-f:.]*:[0-9a-f:.]*)$/,
  port: /^\d{1,5}$/,
  enum: /^tcp$/,
  count: /^(0|[1-9]\d*)$/,
  bool: /^[TF]$/,
  'set[string]': /^\S+$/,
};

/** Reads a log as its own header says; throws at the first thing that does not fit. */
function readLog(text: string): Row[] {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('the last line has no end');
  const head = lines.splice(0, 8);
  const meta = (line: string | undefined, name: string): string[] => {
    const [key, ...values] = (line ?? '').split('\t');
    if (key !== `#${name}`) throw new Error(`expected #${name}, found ${line}`);
    return values;
  };
  if (head[0] !== '#separator \\x09') throw new Error(`expected #separator, found ${head[0]}`);
  expect(meta(head[1], 'set_separator')).toEqual([',']);
  expect(meta(head[2], 'empty_field')).toEqual(['(empty)']);
  expect(meta(head[3], 'unset_field')).toEqual([UNSET]);
  expect(meta(head[4], 'path')).toEqual(['conn']);
  expect(meta(head[5], 'open')[0]).toMatch(TIME);
  const fields = meta(head[6], 'fields');
  const types = meta(head[7], 'types');
  expect(meta(lines.pop(), 'close')[0]).toMatch(TIME);
  expect(types).toHaveLength(fields.length);
  return lines.map((line) => {
    if (line.startsWith('#')) throw new Error(`a comment among the rows: ${line}`);
    const cells = line.split('\t');
    expect(cells).toHaveLength(fields.length);
    cells.forEach((cell, i) => {
      const shape = SHAPES[types[i] ?? ''];
      if (shape === undefined) throw new Error(`unknown type ${types[i]}`);
      if (cell !== UNSET && !shape.test(cell)) throw new Error(`${fields[i]}: ${cell}`);
    });
    return Object.fromEntries(fields.map((field, i) => [field, cells[i] ?? '']));
  });
}

async function rowsOf(...args: string[]): Promise<Row[]> {
  return readLog((await finwait('--format', 'zeek', '--sort', ...args)).stdout);
}

test('the fields and their types are those of Zeek’s conn.log, with the Community ID at the end', () => {
  const names = ZEEK_FIELDS.map(([name]) => name).join(' ');

  expect(names).toBe(
    'ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state ' +
      'local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents ' +
      'ip_proto community_id',
  );
});

test('a log reads back as its own header says', async () => {
  const [row] = await rowsOf(fixturePath('zeek/sf.pcap'));

  expect(row).toMatchObject({
    ts: '1767225600.000000',
    'id.orig_h': '10.0.0.1',
    'id.orig_p': '40000',
    'id.resp_h': '10.0.0.2',
    'id.resp_p': '80',
    proto: 'tcp',
    service: UNSET,
    duration: '0.090000',
    orig_bytes: '78',
    resp_bytes: '500',
    conn_state: 'SF',
    local_orig: 'T',
    local_resp: 'T',
    missed_bytes: '0',
    history: 'ShADadFf',
    orig_pkts: '6',
    resp_pkts: '5',
    tunnel_parents: UNSET,
    ip_proto: '6',
  });
  expect(row?.uid).toMatch(/^C[0-9A-Za-z]{17}$/);
});

test('the log of several files is one, with one header and one end', async () => {
  const rows = await rowsOf(fixturePath('zeek/s0.pcap'), fixturePath('zeek/rej.pcap'));

  expect(rows.map((row) => row.conn_state)).toEqual(['S0', 'REJ']);
});

test('-o conn.log is a log, and --zeek-json makes it one of JSON', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'finwait-zeek-'));
  const path = join(folder, 'conn.log');
  try {
    await finwait('-o', path, fixturePath('zeek/sf.pcap'));
    const log = readFileSync(path, 'utf8');
    await finwait('-o', path, '--zeek-json', fixturePath('zeek/sf.pcap'));
    const json = readFileSync(path, 'utf8');

    expect(readLog(log).map((row) => row.history)).toEqual(['ShADadFf']);
    expect(JSON.parse(json)).toMatchObject({ history: 'ShADadFf' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('--local puts the log’s own times, not those of connections, into the zone of the machine', async () => {
  const [utc] = await rowsOf(fixturePath('zeek/sf.pcap'));
  const [local] = await rowsOf('--local', fixturePath('zeek/sf.pcap'));

  expect(local).toEqual(utc);
});

test('a log without connections is a header and an end', async () => {
  expect(await rowsOf('--port', '9', fixturePath('zeek/s0.pcap'))).toEqual([]);
});

test('JSON has the same values in the same order, without what is not set', async () => {
  for (const name of ['sf', 'gap', 'one-segment', 'ipv6']) {
    const path = fixturePath(`zeek/${name}.pcap`);
    const [row = {}] = await rowsOf(path);
    const { stdout } = await finwait('--zeek-json', path);
    const json = JSON.parse(stdout) as Record<string, string | number | boolean>;

    const set = Object.keys(row).filter((field) => row[field] !== UNSET);
    expect(Object.keys(json)).toEqual(set);
    for (const field of set) {
      const value = json[field];
      const text = typeof value === 'boolean' ? (value ? 'T' : 'F') : String(value);
      const isTime = field === 'ts' || field === 'duration';
      expect(isTime ? Number(value).toFixed(6) : text, field).toBe(row[field]);
    }
  }
});

test('the uid names the connection, not the file or the run', async () => {
  const first = await rowsOf(fixturePath('zeek/sf.pcap'));
  const again = await rowsOf(fixturePath('zeek/sf.pcap'));
  const other = await rowsOf(fixturePath('zeek/s0.pcap'), fixturePath('zeek/ipv6.pcap'));

  expect(again[0]?.uid).toBe(first[0]?.uid);
  expect(other[1]?.uid).not.toBe(first[0]?.uid);
});

test('the uid is the same whichever address of an IPv6 connection was seen first', async () => {
  const hosts = 'client [2001:db8::1]:40000\nserver [2001:db8::2]:80\n';
  const other = 'host X [2001:db8::3]:50000\n S > X R 0:0(0) @0\n';

  const [alone] = await connectionsIn(segments`${hosts} C > S S 0:0(0) @1`, { zeek: true });
  const second = (
    await connectionsIn(segments`${hosts}${other} C > S S 0:0(0) @1`, { zeek: true })
  )[1];

  expect(second?.zeek?.startUs).toBe(alone?.zeek?.startUs);
  expect(second?.zeek?.uid).toBe(alone?.zeek?.uid);
});

/** What Zeek’s own tests expect of these captures (testing/btest/Baseline): state, history, duration, then bytes, packets, IP bytes of each end. */
const BASELINES: Record<string, string[]> = {
  'zeek-gre-sample.pcap': ['SF ShAdDaFf 3.157831 952 12 1584 1671 10 2199'],
  'zeek-tls-12-amazon-rds.pcap': ['SF ShAdDaFf 2.043921 724 14 1460 3255 11 3835'],
  'zeek-irc-starttls.pcap': ['SF ShADadFRf 4.923144 913 11 1469 1903 9 2379'],
  'zeek-mpls-in-vlan.pcap': [
    'OTH D - - 1 257 - 0 0',
    'OTH ^d - - 0 0 - 1 1500',
    'OTH D - - 1 710 - 0 0',
  ],
  // Those that were not refused: a refused SYN that is sent again begins another connection for Zeek.
  'zeek-pop3.pcap': [
    'SF ShAdDafF 0.163506 12 6 264 175 6 427',
    'SF ShAdDafF 3.469839 86 9 470 205 9 577',
    'SF ShAdDafF 0.206558 12 6 264 175 6 427',
    'SF ShAdDafF 0.537230 96 9 468 297 10 709',
    'SF ShAdDafF 1.213485 138 22 1030 19651 30 20863',
  ],
};

describe.skipIf(CAPTURES_FOLDER === null)(
  'what Zeek says of its own captures (skipped unless FINWAIT_CAPTURES is set)',
  () => {
    test.each(Object.entries(BASELINES))('%s', async (name, expected) => {
      const rows = await rowsOf(join(CAPTURES_FOLDER ?? '', 'real', name));

      const found = rows
        .filter((row) => row.conn_state !== 'REJ')
        .map((r) =>
          [
            ...[r.conn_state, r.history, r.duration, r.orig_bytes, r.orig_pkts, r.orig_ip_bytes],
            ...[r.resp_bytes, r.resp_pkts, r.resp_ip_bytes],
          ].join(' '),
        );
      expect(found).toEqual(expected);
    });

    test('an injected RST leaves the originator where its SYN had put it', async () => {
      const path = join(CAPTURES_FOLDER ?? '', 'real', 'zeek-rst-inject-rae.pcap');
      const [row] = await rowsOf(path);

      expect(row).toMatchObject({
        ...{ orig_bytes: '175', orig_pkts: '4', orig_ip_bytes: '395' },
        ...{ resp_bytes: '0', resp_pkts: '5', resp_ip_bytes: '236' },
        conn_state: 'REJ',
      });
    });

    test('of pppoe-over-qinq the place of one t and the responder’s IP bytes are not Zeek’s', async () => {
      const [row] = await rowsOf(join(CAPTURES_FOLDER ?? '', 'real', 'zeek-pppoe-over-qinq.pcap'));

      expect(row).toMatchObject({
        ...{ orig_bytes: '11352', orig_pkts: '44', orig_ip_bytes: '25283' },
        ...{ resp_bytes: '4984', resp_pkts: '42', duration: '273.626833' },
        ...{ conn_state: 'SF', missed_bytes: '0' },
        // Zeek: ShADdtaTTtFf and 13001, the padding of six packets that say 46 bytes and hold 40 included.
        ...{ history: 'ShADdtaTTFft', resp_ip_bytes: '12965' },
      });
    });

    test('every capture gives a log that reads back', async () => {
      const { OTHER_CAPTURES } = await import('../support/captures.ts');
      for (const { path, title } of OTHER_CAPTURES) {
        const { status, stdout } = await finwait('--format', 'zeek', path);
        if (status === 2) continue;
        expect(() => readLog(stdout), title).not.toThrow();
      }
    });
  },
);
