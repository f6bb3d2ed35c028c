/** What an event says. */
export type EventBody =
  /** First of a file: which form the events have. */
  | { kind: 'version' }
  /** Writing begins at this step: what earlier files hold of it and later ones counts no more. */
  | { kind: 'start' }
  | { kind: 'scalars'; values: Readonly<Record<string, number>> }
  /** Markdown. */
  | { kind: 'text'; tag: string; text: string };

/** An event of TensorBoard. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  wall_time: number;
  step: number;
  body: EventBody;
}

// The messages are Event, Summary, SummaryMetadata, TensorProto and SessionLog of TensorFlow's event.proto,
// summary.proto and tensor.proto. Fields are written in the order of their numbers, and none that holds its default, as
// protobuf's own writers do.

const FILE_VERSION = 'brain.Event:2';
const DT_STRING = 7;
const DATA_CLASS_TENSOR = 2;
const SESSION_START = 1;

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;

function varint(value: number): number[] {
  const bytes: number[] = [];
  // No bit operations: they cut to 32 bits.
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}

function key(field: number, wire: number): number[] {
  return varint(field * 8 + wire);
}

function integer(field: number, value: number): Uint8Array {
  return value === 0 ? new Uint8Array() : Uint8Array.from([...key(field, WIRE_VARINT), ...varint(value)]);
}

function double(field: number, value: number): Uint8Array {
  if (value === 0) return new Uint8Array();
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Uint8Array.from([...key(field, WIRE_FIXED64), ...bytes]);
}

/** A member of a oneof: written at its default too. */
function float(field: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Uint8Array.from([...key(field, WIRE_FIXED32), ...bytes]);
}

function message(field: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  return Buffer.concat([Uint8Array.from([...key(field, WIRE_BYTES), ...varint(content.length)]), content]);
}

function text(field: number, value: string): Uint8Array {
  return message(field, Buffer.from(value, 'utf8'));
}

/** Summary.Value with a number of single precision. */
function scalarValue(tag: string, value: number): Uint8Array {
  return message(1, text(1, tag), float(2, value));
}

/** Summary.Value with a text, as a tensor of rank 0 for the plugin "text". */
function textValue(tag: string, value: string): Uint8Array {
  const shape = message(2);
  const tensor = message(8, integer(1, DT_STRING), shape, text(8, value));
  const metadata = message(9, message(1, text(1, 'text')), integer(4, DATA_CLASS_TENSOR));
  return message(1, text(1, tag), tensor, metadata);
}

function encodeBody(body: EventBody): Uint8Array {
  switch (body.kind) {
    case 'version':
      return text(3, FILE_VERSION);
    case 'start':
      return message(7, integer(1, SESSION_START));
    case 'scalars':
      return message(5, ...Object.entries(body.values).map(([tag, value]) => scalarValue(tag, value)));
    case 'text':
      return message(5, textValue(body.tag, body.text));
  }
}

/** The event as a protobuf message. */
export function encodeEvent({ wall_time, step, body }: TensorBoardEvent): Uint8Array {
  return Buffer.concat([double(1, wall_time), integer(2, step), encodeBody(body)]);
}
