import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../util/errors.js';
import { PIECE_TYPE, readModelProto } from './model-proto.js';

// Messages are put together by hand from the protobuf wire format: key = field number * 8 + wire type.
function bytesField(tag: number, bytes: number[] | Uint8Array): number[] {
  assert.ok(bytes.length < 128);
  return [tag * 8 + 2, bytes.length, ...bytes];
}

function floatField(tag: number, value: number): number[] {
  return [tag * 8 + 5, ...new Uint8Array(new Float32Array([value]).buffer)];
}

function piece(text: string, score: number, type?: number): number[] {
  const fields = [...bytesField(1, Buffer.from(text)), ...floatField(2, score)];
  return bytesField(1, type === undefined ? fields : [...fields, 3 * 8, type]);
}

const NORMALIZER = bytesField(3, bytesField(1, Buffer.from('identity')));
const trainer = (fields: number[]): number[] => bytesField(2, fields);

function read(...fields: number[][]): ReturnType<typeof readModelProto> {
  return readModelProto(Uint8Array.from(fields.flat()), 'dir/spiece.model');
}

test('pieces, scores, types and settings are read; defaults fill what is absent', () => {
  const unknownFields = [0x98, 0x06, 0x01, 0x9a, 0x06, 0x02, 0x61, 0x62]; // numbers 99 and 99 with other wire types
  const model = read(
    piece('<unk>', 0, PIECE_TYPE.unknown),
    piece('▁a', -1.5),
    unknownFields,
    trainer([3 * 8, 1]),
    bytesField(3, [...bytesField(2, [1, 2]), 3 * 8, 0, 4 * 8, 0]),
  );
  assert.deepEqual(model.pieces, [
    { text: '<unk>', score: 0, type: PIECE_TYPE.unknown },
    { text: '▁a', score: -1.5, type: PIECE_TYPE.normal },
  ]);
  const { precompiled_charsmap, ...settings } = model.normalizer;
  assert.deepEqual([...precompiled_charsmap], [1, 2]);
  assert.deepEqual(settings, {
    name: '',
    add_dummy_prefix: false,
    remove_extra_whitespaces: false,
    escape_whitespaces: true,
  });
});

test('models that cannot be reproduced are refused, with the file and the reason', () => {
  const refused: [number[][], RegExp][] = [
    [[piece('a', -1), trainer([3 * 8, 2]), NORMALIZER], /BPE model, not a Unigram one/],
    [[piece('a', -1), trainer([0x98, 0x02, 1]), NORMALIZER], /byte_fallback/],
    [[piece('a', -1), trainer([0xc0, 0x01, 1]), NORMALIZER], /treat_whitespace_as_suffix/],
    [[trainer([]), NORMALIZER], /no pieces/],
    [[piece('a', -1)], /settings are missing/],
    [[piece('a', NaN), trainer([]), NORMALIZER], /score of piece "a"/],
    [[bytesField(1, bytesField(1, [0xff])), trainer([]), NORMALIZER], /UTF-8/],
    [[[0x0a, 0x05, 0x0a]], /middle of a field/],
    [[[0x0a]], /middle of a number/],
    [[new Array<number>(11).fill(0xff)], /longer than 10 bytes/],
    [[[0x0b, 0x00]], /wire type 3/],
    [[[0x00, 0x00]], /field number 0/],
  ];
  for (const [fields, reason] of refused) {
    assert.throws(
      () => read(...fields),
      (error: unknown) =>
        error instanceof UserError && /^dir\/spiece\.model: /.test(error.message) && reason.test(error.message),
      String(reason),
    );
  }
});
