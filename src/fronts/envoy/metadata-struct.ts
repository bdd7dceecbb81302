/** Dynamic metadata as google.protobuf.Struct, which has a field number of its own in every answer. */
import type { Metadata } from '../../authz/types.js';
import { backwards, type MessageWriter } from './wire/writer.js';

/** The decision's id comes last of all, and this field too, so the whole message ends with the id. */
export function writeMetadata(w: MessageWriter, metadata: Metadata, id: string): void {
  const mark = w.mark();
  writeEntry(w, 'decision_id', id);
  writeStruct(w, metadata);
  w.endMessage(4, mark);
}

function writeStruct(w: MessageWriter, object: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value !== undefined) writeEntry(w, key, value);
  }
}

function writeEntry(w: MessageWriter, key: string, value: unknown): void {
  const entry = w.mark();
  const content = w.mark();
  writeValue(w, value);
  w.endMessage(2, content);
  w.text(1, key);
  w.endMessage(1, entry);
}

/** google.protobuf.Value of a JSON value; what is not JSON is null. */
function writeValue(w: MessageWriter, value: unknown): void {
  if (typeof value === 'string') w.text(3, value);
  else if (typeof value === 'number') w.double(2, value);
  else if (typeof value === 'boolean') w.uint32(4, value ? 1 : 0);
  else if (Array.isArray(value)) writeList(w, value);
  else if (typeof value === 'object' && value !== null) {
    const mark = w.mark();
    writeStruct(w, value as Readonly<Record<string, unknown>>);
    w.endMessage(5, mark);
  } else w.uint32(1, 0);
}

function writeList(w: MessageWriter, list: readonly unknown[]): void {
  const mark = w.mark();
  for (const member of backwards(list)) {
    const content = w.mark();
    writeValue(w, member);
    w.endMessage(1, content);
  }
  w.endMessage(6, mark);
}
