/** Every real capture against tshark, and every classic microsecond capture against pcap-parser, frame by frame. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { CaptureError } from '../../src/base/errors.ts';
import type { ReaderName } from '../../src/capture/open.ts';
import { CAPTURES_FOLDER, OTHER_CAPTURES } from '../support/captures.ts';
import { type Frame, type ReadResult, readFrames } from '../support/read-frames.ts';
import { HAS_TSHARK } from '../support/tshark.ts';

const execute = promisify(execFile);

const MICROSECOND_MAGICS = ['d4c3b2a1', 'a1b2c3d4'];

/** Refused by tshark too: it tells the same version. */
const BAD_VERSION = ['libpcap-pcap-invalid-version-1.pcap', 'libpcap-pcapng-invalid-vers-1.pcapng'];
/** Several sections: tshark counts interfaces within each, this reader over the file. */
const MANY_SECTIONS = ['ptg-le-test201.pcapng', 'ptg-be-test202.pcapng'];
/** A fraction beyond a second is carried into the seconds here; tshark prints it as it stands, or negative. */
const CARRIED = 'tcpdump-timestamp_invalid_nano.pcap';

interface TsharkFrame {
  time: string;
  capturedLen: number;
  originalLen: number;
  iface: number | null;
}

/** Frames as tshark reads them; blocks that it shows as records without being frames are left out. */
async function tsharkFrames(file: string): Promise<TsharkFrame[]> {
  const fields = ['frame.time_epoch', 'frame.cap_len', 'frame.len', 'frame.interface_id'];
  const args = ['-n', '-r', file, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])];
  // A damaged file ends with a non-zero status, after everything before the damage.
  const { stdout } = await execute('tshark', args, { maxBuffer: 1 << 26 }).catch(
    (error: { stdout: string }) => error,
  );
  const isPcapng = readFileSync(file).readUInt32BE() === 0x0a0d0d0a;
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'))
    .filter(([, , , iface]) => !isPcapng || iface !== '')
    .map(([time = '', capturedLen, originalLen, iface = '']) => ({
      time,
      capturedLen: Number(capturedLen),
      originalLen: Number(originalLen),
      iface: iface === '' ? null : Number(iface),
    }));
}

/** Our frames as tshark would print them, given what tshark leaves open. */
function comparable(frame: Frame, other: TsharkFrame | undefined, name: string): TsharkFrame {
  const isIfaceKnown = other?.iface != null && !MANY_SECTIONS.includes(name);
  return {
    // A simple packet has no time in tshark.
    time: other?.time === '' ? '' : frame.time,
    capturedLen: frame.capturedLen,
    originalLen: frame.originalLen,
    iface: isIfaceKnown ? frame.iface : (other?.iface ?? null),
  };
}

describe.skipIf(CAPTURES_FOLDER === null || !HAS_TSHARK)(
  'tshark (skipped without FINWAIT_CAPTURES and tshark)',
  () => {
    for (const { path, title } of OTHER_CAPTURES) {
      const name = basename(path);
      if (BAD_VERSION.includes(name)) {
        test(`refuses ${title} for its version too`, async () => {
          const tshark = execute('tshark', ['-n', '-r', path]);

          await expect(tshark).rejects.toMatchObject({ stderr: expect.stringMatching(/version/) });
          await expect(readFrames(path)).rejects.toMatchObject({ code: 'unsupported-version' });
        });
        continue;
      }
      test.concurrent(`reads the same frames from ${title}`, async ({ expect }) => {
        const expected = await tsharkFrames(path);

        const { frames } = await readFrames(path);
        const found = frames.map((frame, index) => comparable(frame, expected[index], name));

        if (name === CARRIED) {
          expect(frames.map(({ time }) => time)).toEqual([
            '1418145369.999999999',
            '1418145371.000000000',
            '1418145372.147483648',
          ]);
        } else {
          expect(found).toEqual(expected);
        }
      });
    }
  },
);

describe.skipIf(CAPTURES_FOLDER === null)('pcap-parser (skipped without FINWAIT_CAPTURES)', () => {
  test.each(OTHER_CAPTURES)(
    'gives the same as the native reader, or refuses: $title',
    async ({ path }) => {
      const magic = readFileSync(path).subarray(0, 4).toString('hex');
      const isCompressed = magic.startsWith('1f8b');
      const read = async (reader: ReaderName): Promise<ReadResult | CaptureError> => {
        try {
          return await readFrames(path, { reader });
        } catch (error) {
          if (error instanceof CaptureError) return error;
          throw error;
        }
      };

      const native = await read('native');
      const other = await read('pcap-parser');

      if (native instanceof CaptureError) {
        expect(other).toBeInstanceOf(CaptureError);
      } else if (MICROSECOND_MAGICS.includes(magic) || isCompressed) {
        expect(other).toEqual(native);
      } else {
        expect(other).toBeInstanceOf(CaptureError);
        expect(other).toMatchObject({ message: expect.stringContaining('use the native reader') });
      }
    },
  );
});

describe.skipIf(CAPTURES_FOLDER === null)(
  'a damaged capture (skipped without FINWAIT_CAPTURES)',
  () => {
    test('with an absurd length in its middle gives the frames before it and its offset', async () => {
      const file = join(CAPTURES_FOLDER ?? '', 'real/suricata-tls_DER-incomplete-header.pcap');

      const { frames, damage } = await readFrames(file);

      expect(frames).toHaveLength(6);
      expect(damage).toMatchObject({ code: 'bad-captured-length', offset: 5035 });
    });

    test('whose section header lies about its length is damaged at byte 0', async () => {
      const file = join(CAPTURES_FOLDER ?? '', 'real/libpcap-shb-option-too-long.pcapng');

      const { frames, damage } = await readFrames(file);

      expect(frames).toHaveLength(0);
      expect(damage).toMatchObject({ code: 'bad-block-trailer', offset: 0 });
    });
  },
);
