/** A writer of records that is given a template for each mold, so that what is alike in them is written once. */

import type { FilledMold } from '../tcp/conclude.ts';
import { isQuiet } from '../tcp/figures.ts';
import type { ByteText } from './byte-text.ts';
import type { ConnectionRecord } from './record.ts';
import { RecordNumbers } from './record-numbers.ts';
import { type Sink, type Template, TemplateRecorder } from './template.ts';

/** Templates kept of a mold, the latest: as many as there are combinations of parts, and mostly one file. */
const MAX_VARIANTS = 32;

/** Records of one mold differ in what they show by these as well. */
interface Variant {
  file: string | null;
  /** Which parts there are (`partsOf`). */
  parts: number;
  template: Template;
}

/**
 * A writer of records to `out`: as `write` does. It is told the mold that a record's verdicts lie in, if any; the record may lack its names
 * then, which are taken from the connection.
 */
export function templated(
  out: ByteText,
  write: (out: Sink, record: ConnectionRecord) => void,
): (record: ConnectionRecord, mold: FilledMold | null) => void {
  const variants = new WeakMap<FilledMold, Variant[]>();
  const numbers = new RecordNumbers();

  function templateOf(record: ConnectionRecord, mold: FilledMold): Template {
    let list = variants.get(mold);
    if (list === undefined) {
      list = [];
      variants.set(mold, list);
    }
    const { file } = record;
    const parts = partsOf(record);
    for (const one of list) {
      if (one.parts === parts && one.file === file) return one.template;
    }
    const recorder = new TemplateRecorder(record, mold, out.nullText);
    write(recorder, record);
    const template = recorder.finish();
    list.unshift({ file, parts, template });
    if (list.length > MAX_VARIANTS) list.pop();
    return template;
  }

  return (record, mold) => {
    if (mold === null) {
      write(out, record);
      return;
    }
    numbers.fill(record);
    out.template(templateOf(record, mold), mold.finished.story, numbers.values);
  };
}

function partsOf({ transfer: { client, server, reusedPorts } }: ConnectionRecord): number {
  return (
    (isQuiet(client) ? 1 : 0) |
    (isQuiet(server) ? 2 : 0) |
    (client.rtt === null ? 4 : 0) |
    (server.rtt === null ? 8 : 0) |
    (reusedPorts ? 16 : 0)
  );
}
