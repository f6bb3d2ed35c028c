import type { TensorInfo } from '@tensorflow/tfjs';
import { tf } from './tf.js';

/** The part of the WASM backend used here. */
interface Backend {
  dataIdNextNumber: number;
  readonly dataIdMap: { get(dataId: object): { id: number; memoryOffset: number } };
  readonly wasm: {
    cwrap(name: string, result: null, types: string[]): (...values: unknown[]) => void;
    readonly tfjs: {
      registerTensor(id: number, size: number, memoryOffset: number): void;
      disposeData(id: number): void;
    };
  };
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo;
  disposeData(dataId: object): boolean;
}

type Kernel = (args: { inputs: object; backend: unknown; attrs: object }) => unknown;

/** Multiplications of one matrix product below which the plain loops beat setting up the fast one. */
const SMALL = 16_000;

/** Rows from which writing out a transposed right operand costs less than the slow product saves. */
const FEW_ROWS = 4;

/**
 * Matrix products on WASM in the layout that its kernel is fast in. XNNPACK (some 30 GFLOP/s) computes only products of
 * two single matrices that are not flagged as transposed; everything else goes through plain loops of 2 GFLOP/s. So
 * flagged operands are written out transposed, and batches are computed matrix by matrix, on views into the operands'
 * memory.
 */
function matMulKernel(original: Kernel, transposeKernel: Kernel): Kernel {
  let multiply: ((...values: unknown[]) => void) | undefined;
  return (args) => {
    const { a, b } = args.inputs as { a: TensorInfo; b: TensorInfo };
    const { transposeA, transposeB } = args.attrs as { transposeA: boolean; transposeB: boolean };
    const backend = args.backend as Backend;
    const [aBatch, bBatch] = [batchOf(a), batchOf(b)];
    const [m, k] = sides(a, transposeA);
    const [, n] = sides(b, transposeB);
    const small = m * k * n < SMALL || (transposeB && m < FEW_ROWS);
    // Batches of different size broadcast; nothing here multiplies those, but for one right operand for all.
    if (small || (aBatch !== bBatch && bBatch !== 1)) return original(args);

    const transposed: TensorInfo[] = [];
    const plain = (x: TensorInfo, flagged: boolean): TensorInfo => {
      if (!flagged) return x;
      const rank = x.shape.length;
      const perm = [...x.shape.keys()];
      [perm[rank - 2], perm[rank - 1]] = [rank - 1, rank - 2];
      const written = transposeKernel({ inputs: { x }, backend, attrs: { perm } }) as TensorInfo;
      transposed.push(written);
      return written;
    };
    const [left, right] = [plain(a, transposeA), plain(b, transposeB)];
    multiply ??= backend.wasm.cwrap(
      'BatchMatMul',
      null,
      // ids, shapes, ranks and flags
      ['number', 'array', 'number', 'number', 'array', 'number', 'number', 'number', 'number'],
    );
    const out = backend.makeOutput([...a.shape.slice(0, -2), m, n], 'float32');
    // With one right operand the rows of all left ones are those of one matrix.
    const count = bBatch === 1 ? 1 : aBatch;
    const rows = bBatch === 1 ? aBatch * m : m;
    const leftShape = bytes([1, rows, k]);
    const rightShape = bytes([1, k, n]);
    for (let i = 0; i < count; i++) {
      const views = [view(backend, left, i, rows * k), view(backend, out, i, rows * n)] as const;
      // XNNPACK keeps a packed copy of the right operand under its id: for a frozen weight, which is used again.
      const rightId = count === 1 ? backend.dataIdMap.get(right.dataId).id : view(backend, right, i, k * n);
      multiply(views[0], leftShape, 3, rightId, rightShape, 3, 0, 0, views[1]);
      for (const id of views) backend.wasm.tfjs.disposeData(id);
      if (count > 1) backend.wasm.tfjs.disposeData(rightId);
    }
    for (const { dataId } of transposed) backend.disposeData(dataId);
    return out;
  };
}

/** Registers matrix `index` of a batch under an id of its own; only the id is to be given back, never the memory. */
function view(backend: Backend, tensor: TensorInfo, index: number, size: number): number {
  const { memoryOffset } = backend.dataIdMap.get(tensor.dataId);
  const id = backend.dataIdNextNumber++;
  backend.wasm.tfjs.registerTensor(id, size, memoryOffset + index * size * 4);
  return id;
}

function batchOf({ shape }: TensorInfo): number {
  return shape.slice(0, -2).reduce((product, n) => product * n, 1);
}

/** Rows and columns of a matrix once it is transposed as flagged. */
function sides({ shape }: TensorInfo, transposed: boolean): [number, number] {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}

function bytes(shape: number[]): Uint8Array {
  return new Uint8Array(new Int32Array(shape).buffer);
}

/** Puts this in place of the backend's own kernel, for `tf.matMul` and its gradient. Call once the backend runs. */
export function installWasmMatMul(): void {
  const original = tf.getKernel('BatchMatMul', 'wasm');
  const transpose = tf.getKernel('Transpose', 'wasm');
  tf.unregisterKernel('BatchMatMul', 'wasm');
  tf.registerKernel({
    ...original,
    kernelFunc: matMulKernel(
      original.kernelFunc as unknown as Kernel,
      transpose.kernelFunc as unknown as Kernel,
    ) as unknown as typeof original.kernelFunc,
  });
}
