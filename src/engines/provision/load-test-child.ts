// Run by load-test.ts in a process of its own: node load-test-child.js ENGINE_FOLDER [PRELOAD_FOLDER…]
import { checkArithmetic } from '../self-check.js';
import { loadNative, NATIVE_BACKEND, prepareEnvironment } from '../native.js';
import { tf } from '../tf.js';
import { defaultThreads } from '../threads.js';

const [folder, ...preload] = process.argv.slice(2);
try {
  if (folder === undefined) throw new Error('no engine folder given');
  prepareEnvironment({ defaultThreads: defaultThreads() });
  const native = loadNative(folder, preload);
  if (!(await tf.setBackend(NATIVE_BACKEND))) throw new Error('TensorFlow.js refused the backend');
  const faults = checkArithmetic();
  if (faults.length > 0) throw new Error(faults.join('; '));
  process.stdout.write(`${JSON.stringify({ libtensorflow: native.libtensorflow, using_gpu: native.usingGpu })}\n`);
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
