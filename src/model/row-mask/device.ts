import type { Tensor } from '@tensorflow/tfjs';
import { intAttribute, longs, newLongs, typeAttribute, vector, type NativeBackend } from '../../engines/native-run.js';
import type { MaskLines } from './fill.js';

const STRIDE = 0x9e3779b9;

/**
 * What `fillMask` makes, by TensorFlow's own operations: where they run on a GPU, this takes less time than to make the
 * bytes on the CPU and to send them. Numbers of 32 bits are held in 64, because TensorFlow keeps int32 on the CPU.
 *
 * @returns bool, of the given shape
 */
export function deviceMask(
  backend: NativeBackend,
  keys: readonly number[],
  { outer, inner, width }: MaskLines,
  number: number,
  threshold: number,
  shape: readonly number[],
): Tensor {
  const { binding } = backend;
  const made: number[] = [];
  const hold = (id: number): number => {
    made.push(id);
    return id;
  };
  const run = (name: string, inputs: number[], attributes: object[] = []) =>
    binding.executeOp(name, attributes, inputs, 1)[0]!;
  const op = (name: string, ...inputs: number[]) => hold(run(name, inputs).id);
  const number64 = (value: number) => longs(backend, `${value}`, () => [value]);
  const steps = (count: number) =>
    longs(backend, `steps ${count}`, () => Array.from({ length: count }, (_, i) => Math.imul(i + 1, STRIDE)));
  const reshaped = (x: number, dimensions: readonly number[]) => op('Reshape', x, vector(backend, dimensions));
  const low32 = (x: number) => op('BitwiseAnd', x, number64(0xffffffff));
  const shifted = (x: number, by: number) => op('BitwiseXor', x, op('RightShift', x, number64(by)));
  const mix = (x: number) => {
    const once = low32(op('Mul', shifted(x, 16), number64(0x85ebca6b)));
    return shifted(low32(op('Mul', shifted(once, 13), number64(0xc2b2ae35))), 16);
  };
  const atLeast = (draws: number) => op('GreaterEqual', draws, number64(threshold));

  try {
    const ofRow = mix(op('BitwiseXor', hold(newLongs(backend, keys, false)), mix(number64(number)))); // [B, 1]
    const ofOuter = reshaped(mix(low32(op('AddV2', ofRow, steps(outer)))), [-1, 1]); // [B·outer, 1]
    const start = reshaped(mix(op('BitwiseXor', ofOuter, steps(inner))), [-1, 1]); // [lines, 1]
    const draws = mix(low32(op('AddV2', start, steps(Math.ceil(width / 2))))); // [lines, ⌈width/2⌉]
    const halves = [op('BitwiseAnd', draws, number64(0xffff)), op('RightShift', draws, number64(16))];
    const pairs = hold(run('Pack', halves.map(atLeast), PAIRS(backend)).id);
    const lines = keys.length * outer * inner;
    const even = reshaped(pairs, [lines, -1]); // with a value too many in a line where the width is odd
    const size = [vector(backend, [0, 0]), vector(backend, [lines, width])];
    const values = width % 2 === 0 ? even : op('Slice', even, ...size);
    return backend.createOutputTensor(run('Reshape', [values, vector(backend, shape)]));
  } finally {
    made.forEach((id) => binding.deleteTensor(id));
  }
}

/** Attributes of Pack: two bools, side by side along a last axis. */
const PAIRS = (backend: NativeBackend) => [
  intAttribute(backend, 'N', 2),
  typeAttribute(backend, 'T', 'bool'),
  intAttribute(backend, 'axis', 2),
];
