/** CSV rows (RFC 4180). */

import { expect, test } from 'vitest';
import { CSV_COLUMNS, CSV_HEADER, csvCell } from '../../src/report/csv.ts';
import { csvRow } from '../support/lines.ts';
import { record } from '../support/records.ts';

test('a row has a cell for every column of the header', () => {
  expect(csvRow(record()).split(',')).toHaveLength(CSV_HEADER.split(',').length);
  expect(csvRow(record())).toMatch(/^web\.pcapng,0,1:[^,]+,10\.0\.0\.1,40112,10\.0\.0\.2,80,syn,/);
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx'])(
  'the text %j starts no formula',
  (text) => {
    expect(csvCell(text).replace(/^"/, '')).toMatch(/^'/);
  },
);

test('a negative number stays a number', () => {
  const row = csvRow(record({ duration: -0.5 }));

  expect(row.split(',')[CSV_COLUMNS.indexOf('duration')]).toBe('-0.5');
});

test('quotes, commas and line ends are quoted', () => {
  expect(csvCell('a "b", c\n')).toBe('"a ""b"", c\n"');
});
