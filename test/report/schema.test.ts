/** The published JSON Schema against the types and against records. */

import { expect, test } from 'vitest';
import { TCP_STATES } from '../../src/tcp/state.ts';
import { CLOSE_KINDS, FINDING_CODES, HANDSHAKE_KINDS, RST_PHASES } from '../../src/tcp/verdicts.ts';
import { record, recordSchema } from '../support/records.ts';

type Schema = Record<string, unknown>;

const IGNORED = new Set(['$schema', '$defs', 'title', 'description', 'required']);

/** What is wrong with `value`: the keywords that the schema uses; any other keyword is an error of the schema. */
function faults(root: Schema, schema: Schema, value: unknown, at: string): string[] {
  const out: string[] = [];
  const fail = (what: string): void => {
    out.push(`${at}: ${what}`);
  };
  for (const [keyword, rule] of Object.entries(schema)) {
    if (IGNORED.has(keyword)) continue;
    if (keyword === '$ref') out.push(...faults(root, resolve(root, String(rule)), value, at));
    else if (keyword === 'type') {
      const types = [rule].flat();
      const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
      const whole = Number.isInteger(value) && types.includes('integer');
      if (!types.includes(type) && !whole) fail(`is ${type}`);
    } else if (keyword === 'const') {
      if (value !== rule) fail(`is not ${rule}`);
    } else if (keyword === 'enum') {
      if (!(rule as unknown[]).includes(value)) fail(`${value} is not in the list`);
    } else if (keyword === 'anyOf') {
      const some = (rule as Schema[]).some((one) => faults(root, one, value, at).length === 0);
      if (!some) fail('fits none of anyOf');
    } else if (keyword === 'minimum') {
      if (typeof value === 'number' && value < Number(rule)) fail('is too small');
    } else if (keyword === 'maximum') {
      if (typeof value === 'number' && value > Number(rule)) fail('is too large');
    } else if (keyword === 'pattern') {
      if (typeof value === 'string' && !new RegExp(String(rule), 'u').test(value)) fail('fits not');
    } else if (keyword === 'items') {
      const items = Array.isArray(value) ? value : [];
      for (const [i, item] of items.entries()) {
        out.push(...faults(root, rule as Schema, item, `${at}[${i}]`));
      }
    } else if (keyword === 'properties') {
      const properties = rule as Record<string, Schema>;
      const object = (value ?? {}) as Record<string, unknown>;
      for (const key of (schema.required ?? []) as string[]) {
        if (!(key in object)) fail(`has no ${key}`);
      }
      for (const [key, inner] of Object.entries(object)) {
        const one = properties[key];
        if (one === undefined) fail(`has the unknown ${key}`);
        else out.push(...faults(root, one, inner, `${at}.${key}`));
      }
    } else if (keyword === 'additionalProperties') expect(rule).toBe(false);
    else throw new Error(`the schema uses ${keyword}, which this test does not know`);
  }
  return out;
}

function resolve(root: Schema, ref: string): Schema {
  const defs = root.$defs as Record<string, Schema>;
  const found = defs[ref.replace('#/$defs/', '')];
  if (found === undefined) throw new Error(`${ref} is not defined`);
  return found;
}

test('a record fits the schema, key by key in the same order', async () => {
  const schema = await recordSchema();

  expect(faults(schema, schema, record(), 'record')).toEqual([]);
  expect(Object.keys(record())).toEqual(schema.required);
});

test('a record with a wrong word, a missing or an unknown key does not fit', async () => {
  const schema = await recordSchema();
  const { findings: _, ...missing } = record();
  const wrong = { ...record(), close: { ...record().close, kind: 'five-way' } };

  expect(faults(schema, schema, missing, 'record')).not.toEqual([]);
  expect(faults(schema, schema, { ...record(), more: 1 }, 'record')).not.toEqual([]);
  expect(faults(schema, schema, wrong, 'record')).not.toEqual([]);
});

test('the lists of words are those of the types', async () => {
  const schema = await recordSchema();
  const words = (def: string, key?: string): unknown => {
    const found = resolve(schema, def);
    const properties = found.properties as Record<string, Schema>;
    return key === undefined ? found.enum : properties[key]?.enum;
  };

  expect(words('state')).toEqual([...TCP_STATES]);
  expect(words('close', 'kind')).toEqual([...CLOSE_KINDS]);
  expect(words('close', 'phase')).toEqual([...RST_PHASES, null]);
  expect(words('handshake', 'kind')).toEqual([...HANDSHAKE_KINDS]);
  expect(words('finding', 'code')).toEqual([...FINDING_CODES]);
});
