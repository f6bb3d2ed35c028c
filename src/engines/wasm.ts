import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { tf } from './tf.js';
import { installWasmMatMul } from './wasm-matmul.js';

const require = createRequire(import.meta.url);

/** The part of @tensorflow/tfjs-backend-wasm used here. */
interface WasmModule {
  setWasmPaths(folder: string): void;
}

let registered = false;

/**
 * Registers the WASM backend, with its binaries taken from the package's own folder. On Node it has SIMD and one
 * thread. Loaded by require, so that its TensorFlow.js core is the CommonJS one as well.
 */
export function loadWasm(): void {
  if (registered) return;
  const main = require.resolve('@tensorflow/tfjs-backend-wasm');
  (require(main) as WasmModule).setWasmPaths(dirname(main) + sep);
  installWasmMatMul();
  registered = true;
}

/** Makes WASM the backend that new tensors live on. */
export async function useWasm(): Promise<void> {
  loadWasm();
  if (!(await tf.setBackend('wasm'))) throw new Error('The WASM engine did not start.');
  await tf.ready();
}
