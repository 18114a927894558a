/** A writer of records that is given a template for each mold, so that what is alike in them is written once. */

import type { FilledMold } from '../tcp/conclude.ts';
import { isQuiet } from '../tcp/figures.ts';
import type { ByteText } from './byte-text.ts';
import type { ConnectionRecord } from './record.ts';
import { RecordNumbers } from './record-numbers.ts';
import type { Sink, Template } from './sink.ts';
import { TemplateRecorder } from './template.ts';

/**
 * A writer of records to `out`: as `write` does. It is told the mold that a record's verdicts lie in, if any. Those records are one object, filled
 * anew each time (`TransientRecord`), and may lack their names, which are taken from the connection.
 */
export function templated(
  out: ByteText,
  write: (out: Sink, record: ConnectionRecord) => void,
): (record: ConnectionRecord, mold: FilledMold | null) => void {
  /** Of each mold, by the parts that a record has (`partsOf`): in these the records of one mold differ as well. */
  const templates = new WeakMap<FilledMold, Template[]>();
  const numbers = new RecordNumbers();

  function templateOf(record: ConnectionRecord, mold: FilledMold): Template {
    let ofMold = templates.get(mold);
    if (ofMold === undefined) {
      ofMold = [];
      templates.set(mold, ofMold);
    }
    const parts = partsOf(record);
    let template = ofMold[parts];
    if (template === undefined) {
      const recorder = new TemplateRecorder(record, mold, out.nullText);
      write(recorder, record);
      template = recorder.finish();
      ofMold[parts] = template;
    }
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
