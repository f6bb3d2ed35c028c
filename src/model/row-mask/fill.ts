import { KERNEL } from './kernel.js';

/** How the lines of a mask lie: `outer` × `inner` of them for each row, `width` values in a line. */
export interface MaskLines {
  outer: number;
  inner: number;
  width: number;
}

interface Kernel {
  memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  fill: (...args: number[]) => void;
}

/** What of WebAssembly is used here; Node's types do not have it. */
declare const WebAssembly: {
  Module: new (code: Uint8Array) => object;
  Instance: new (module: object) => { exports: object };
};

const PAGE = 65536;
/** Values are written sixteen at a time, the last of them behind the mask's end. */
const SLACK = 15;

let loaded: Kernel | undefined;

function kernel(): Kernel {
  loaded ??= new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(KERNEL, 'base64'))).exports as Kernel;
  return loaded;
}

/**
 * A mask of a batch, a byte a value: 1 where the value stays, else 0. What decides is a function of the row's key, the
 * mask's number and the coordinates alone (kernel.wat says which), so it does not change with the padding or with the
 * rows beside.
 *
 * @param keys 32 bits for each row
 * @param number of the mask among those of the pass
 * @param threshold of 65536: the share of values that are dropped
 * @returns [rows · outer · inner · width], good until the next call
 */
export function fillMask(
  keys: readonly number[],
  { outer, inner, width }: MaskLines,
  number: number,
  threshold: number,
): Uint8Array {
  const { memory, fill } = kernel();
  const size = keys.length * outer * inner * width;
  // 65536 does not fit into the sixteen bits that draws are compared with.
  if (threshold > 0xffff) return new Uint8Array(size);
  // An odd address, at which TensorFlow copies. Memory that is aligned it takes over as it is, and the next mask would
  // change the tensor.
  const at = 4 * keys.length + 1;
  const missing = at + size + SLACK - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  new Int32Array(memory.buffer, 0, keys.length).set(keys);
  fill(0, keys.length, outer, inner, width, number, threshold, at);
  return new Uint8Array(memory.buffer, at, size);
}
