/** A writer of records that is given a template for each mold, so that what is alike in them is written once. */

import type { FilledMold } from '../tcp/conclude.ts';
import type { ByteText } from './byte-text.ts';
import type { ConnectionRecord } from './record.ts';
import { RecordNumbers } from './record-numbers.ts';
import type { Sink, Template } from './sink.ts';
import { TemplateRecorder } from './template.ts';

/**
 * A writer of records to `out`: as `write` does. It is told the mold that a record's verdicts lie in, if any. Those records are one object, filled
 * anew each time (`TransientRecord`), and may lack their names and their times, which are taken from the connection.
 */
export function templated(
  out: ByteText,
  write: (out: Sink, record: ConnectionRecord) => void,
): (record: ConnectionRecord, mold: FilledMold | null) => void {
  /** Of each mold, by the parts that a connection has (report/record-numbers.ts): in these the records of one mold differ as well. */
  const templates = new WeakMap<FilledMold, Template[]>();
  const numbers = new RecordNumbers();

  function templateOf(record: ConnectionRecord, mold: FilledMold, parts: number): Template {
    let ofMold = templates.get(mold);
    if (ofMold === undefined) {
      ofMold = [];
      templates.set(mold, ofMold);
    }
    let template = ofMold[parts];
    if (template === undefined) {
      const recorder = new TemplateRecorder(record, mold, parts, out.nullText);
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
    const { finished } = mold;
    const parts = numbers.fill(finished, record.close);
    out.template(templateOf(record, mold, parts), finished, numbers.values);
  };
}
