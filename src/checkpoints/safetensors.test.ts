import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../util/errors.js';
import { packageRoot } from '../util/paths.js';
import { float16ToFloat32, float32ToFloat16 } from './half-precision.js';
import { encodeSafetensors, readSafetensors, type StoredTensor } from './safetensors.js';

const fixtures = join(packageRoot(), 'src', 'checkpoints', 'fixtures'); // made by make_fixtures.py there
const folder = mkdtempSync(join(tmpdir(), 'mpt-safetensors-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function write(bytes: Uint8Array | string): string {
  const file = join(folder, 'x.safetensors');
  writeFileSync(file, bytes);
  return file;
}

/** A file with the given header and `dataBytes` bytes of data. */
function withHeader(header: string | object, dataBytes = 0, announced?: bigint): string {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, announced ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return write(bytes);
}

function assertRefused(file: string, message: RegExp): void {
  assert.throws(
    () => readSafetensors(file),
    (error: unknown) => {
      assert.ok(error instanceof UserError, String(error));
      assert.equal(error.exitCode, 2);
      assert.match(error.message, message);
      assert.ok(error.message.includes(file), 'names the file');
      return true;
    },
  );
}

describe('reading what Python wrote', () => {
  const file = readSafetensors(join(fixtures, 'every-dtype.safetensors'));
  const halves = [
    0,
    -0,
    2 ** -24,
    -(2 ** -24),
    2 ** -14 - 2 ** -24,
    2 ** -14,
    1 / 3,
    1,
    -2.5,
    65504,
    Infinity,
    -Infinity,
  ];

  test('names, shapes, metadata', () => {
    assert.equal(file.names.length, 12);
    assert.deepEqual(file.metadata, { format: 'pt' });
    assert.deepEqual(file.shape('f16'), [4, 3]);
    assert.deepEqual(file.shape('scalar'), []);
    assert.equal(file.dtype('bf16'), 'BF16');
    assert.ok(file.has('empty') && !file.has('missing'));
  });

  test('every dtype as float32', () => {
    assert.deepEqual(file.float32('f32'), Float32Array.from(halves));
    const third16 = 0.333251953125; // torch.tensor(1/3).half()
    assert.deepEqual(file.float32('f16'), Float32Array.from(halves.map((x) => (x === 1 / 3 ? third16 : x))));
    // 2^-14 - 2^-24 and 65504 round up to powers of two in bfloat16; 1/3 to 0.333984375.
    const bf16 = new Map([
      [1 / 3, 0.333984375],
      [65504, 65536],
      [2 ** -14 - 2 ** -24, 2 ** -14],
    ]);
    assert.deepEqual(file.float32('bf16'), Float32Array.from(halves.map((x) => bf16.get(x) ?? x)));
    assert.deepEqual(file.float32('f64'), Float32Array.from([1 / 3, -Infinity, 0]));
    assert.deepEqual(file.float32('i64'), Float32Array.from([-(2 ** 53), -1, 7]));
    assert.deepEqual(file.float32('i16'), Float32Array.from([-32768, 5]));
    assert.deepEqual(file.float32('bool'), Float32Array.from([1, 0, 1]));
    assert.deepEqual(file.float32('scalar'), Float32Array.from([3.5]));
    assert.equal(file.float32('empty').length, 0);
  });

  test('integers', () => {
    assert.deepEqual(file.int32('i32'), Int32Array.from([-(2 ** 31), 2 ** 31 - 1]));
    assert.deepEqual(file.int32('i8'), Int32Array.from([-128, 127, 1]));
    assert.deepEqual(file.int32('u8'), Int32Array.from([0, 255]));
    assert.throws(() => file.int32('i64'), /"i64": -9007199254740992 at position 0 does not fit/);
    assert.throws(() => file.int32('f32'), /integers were expected/);
  });

  test('a name that is not there', () => {
    assert.throws(() => file.float32('prompt'), /no tensor "prompt"/);
  });
});

describe('writing', () => {
  test('gives the bytes that Python gives', () => {
    const bytes = encodeSafetensors(
      {
        steps: { shape: [3], data: Int32Array.of(1, 2, 3) },
        'a.v': { shape: [4], data: Float32Array.of(0.25, 3, 1e-3, -7), dtype: 'F16' },
        'b.u': { shape: [3], data: Float32Array.of(1, -1, 0.5) },
        shared: { shape: [3, 4], data: Float32Array.from({ length: 12 }, (_, i) => i / 8) },
      },
      { model: 'tïny "t5"' },
    );
    const python = new Uint8Array(readFileSync(join(fixtures, 'prompt.safetensors')));
    assert.deepEqual(bytes, python);
  });

  test('halves are rounded as torch rounds them, and every half survives the round trip', () => {
    const reference = JSON.parse(readFileSync(join(fixtures, 'round-to-half.json'), 'utf8')) as Record<
      string,
      number[]
    >;
    const values = new Float32Array(Int32Array.from(reference['float32_bits']!).buffer);
    assert.deepEqual(float32ToFloat16(values), Uint16Array.from(reference['float16_bits']!));
    const every = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const back = float32ToFloat16(float16ToFloat32(every));
    for (let i = 0; i < 65536; i++) {
      // Signalling NaNs become quiet ones.
      const expected = (i & 0x7c00) === 0x7c00 && (i & 0x3ff) !== 0 ? i | 0x200 : i;
      assert.equal(back[i], expected);
    }
  });

  test('what is written is read back, whatever the names and shapes', () => {
    const floats = fc.array(fc.float({ noDefaultInfinity: false }), { maxLength: 12 });
    const tensor: fc.Arbitrary<StoredTensor> = fc.oneof(
      floats.map((values) => ({ shape: [values.length], data: Float32Array.from(values) })),
      floats.map((values) => ({ shape: [1, values.length, 1], data: Float32Array.from(values) })),
      fc
        .array(fc.integer(), { maxLength: 5 })
        .map((values) => ({ shape: [values.length, 1], data: Int32Array.from(values) })),
    );
    const names = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__metadata__' && name !== '__proto__');
    fc.assert(
      fc.property(fc.dictionary(names, tensor), fc.dictionary(fc.string(), fc.string()), (tensors, metadata) => {
        const file = readSafetensors(write(encodeSafetensors(tensors, metadata)));
        assert.deepEqual([...file.names].sort(), Object.keys(tensors).sort());
        assert.deepEqual(Object.entries(file.metadata), Object.entries(metadata));
        for (const [name, { shape, data }] of Object.entries(tensors)) {
          assert.deepEqual(file.shape(name), shape);
          assert.deepEqual(data instanceof Int32Array ? file.int32(name) : file.float32(name), data);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('refuses a shape that does not fit its data', () => {
    assert.throws(
      () => encodeSafetensors({ x: { shape: [2, 2], data: new Float32Array(3) } }),
      /"x" has 3 values for shape \[2, 2\]/,
    );
  });
});

describe('damaged files', () => {
  const entry = (start: number, end: number, shape = [(end - start) / 4], dtype = 'F32'): object => ({
    dtype,
    shape,
    data_offsets: [start, end],
  });

  test('missing, empty, a folder', () => {
    assertRefused(join(folder, 'none.safetensors'), /no such file/);
    assertRefused(write(''), /cut off: 0 bytes/);
    assertRefused(folder, /not a file/);
  });

  test('cut off anywhere', () => {
    const whole = encodeSafetensors({
      a: { shape: [2], data: Float32Array.of(1, 2) },
      b: { shape: [1], data: Float32Array.of(3) },
    });
    for (let length = 0; length < whole.length; length++) assertRefused(write(whole.slice(0, length)), /cut off/);
  });

  test('an absurd header length', () => {
    assertRefused(withHeader('{}', 0, 2n ** 63n), /header of 9223372036854775808 bytes/);
    assertRefused(withHeader('{}', 0, 100_000_001n), /header of 100000001 bytes/);
    assertRefused(withHeader('{}', 0, 99n), /cut off: it announces a header of 99 bytes/);
  });

  test('a header that is not JSON, or not an object', () => {
    assertRefused(withHeader('{"a": '), /not JSON/);
    assertRefused(withHeader('[]'), /not a JSON object/);
    assertRefused(withHeader('{"a": 3}'), /"a" is not described/);
  });

  test('offsets that overlap, leave gaps or reach beyond the file', () => {
    assertRefused(
      withHeader({ a: entry(0, 8), b: entry(4, 12) }, 12),
      /"a" and "b" overlap: one ends at byte \d+, the other starts at \d+/,
    );
    assertRefused(withHeader({ a: entry(0, 4), b: entry(8, 12) }, 12), /before tensor "b" belong to no tensor/);
    assertRefused(withHeader({ a: entry(0, 4000) }, 4), /"a" reaches to byte \d+, but the file ends at/);
    assertRefused(withHeader({ a: entry(0, 4) }, 6), /2 bytes at its end belong to no tensor/);
    assertRefused(withHeader({ a: entry(8, 4, [1]) }, 8), /data_offsets \[8,4\]/);
    assertRefused(withHeader({ a: { dtype: 'F32', shape: [1], data_offsets: [0.5, 4.5] } }, 8), /data_offsets/);
  });

  test('shapes that do not fit the bytes', () => {
    assertRefused(withHeader({ a: entry(0, 8, [3]) }, 8), /F32 \[3\] takes 12 bytes, its data_offsets give 8/);
    assertRefused(withHeader({ a: entry(0, 8, [2 ** 40, 2 ** 40]) }, 8), /its data_offsets give 8/);
    assertRefused(withHeader({ a: entry(0, 8, [-2]) }, 8), /shape \[-2\]/);
  });

  test('unknown dtype, names that stand twice', () => {
    assertRefused(withHeader({ a: entry(0, 4, [1], 'F31') }, 4), /"a" has the unknown dtype "F31"; known: F64/);
    assertRefused(withHeader({ a: entry(0, 4, [1], 'toString') }, 4), /unknown dtype/);
    const one = JSON.stringify(entry(0, 4));
    assertRefused(withHeader(`{"a":${one},"\\u0061":${one}}`, 4), /"a" stands twice/);
    assertRefused(withHeader('{"__metadata__":{"k":1}}'), /something else than text under "k"/);
  });

  test('any byte changed in the header is refused or read within the file, never a crash', () => {
    const whole = encodeSafetensors({ a: { shape: [2], data: Float32Array.of(1, 2) } });
    fc.assert(
      fc.property(fc.nat(whole.length - 9), fc.nat(255), (at, value) => {
        const bytes = whole.slice();
        bytes[at] = value;
        const file = write(bytes);
        try {
          const opened = readSafetensors(file);
          for (const name of opened.names) opened.float32(name);
        } catch (error) {
          assert.ok(error instanceof UserError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
});
