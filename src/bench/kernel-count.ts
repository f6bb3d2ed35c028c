import { native } from '../engines/native-ops.js';
import { countOperations } from '../engines/native-run.js';
import { watchTensors } from '../engines/tensor-watch.js';
import { tf } from '../engines/tf.js';

interface Engine {
  runKernelFunc?: (options: { kernelName?: string }) => unknown;
}

/**
 * Counts kernels and watches the bytes held in tensors, until `stop`: on the native engine every operation of TensorFlow,
 * however it was called, elsewhere the kernels of TensorFlow.js.
 */
export class KernelCount {
  private readonly stopCounting: () => number;
  private readonly tensors = watchTensors();

  constructor() {
    const backend = native();
    this.stopCounting = backend === null ? countKernels() : countOperations(backend);
  }

  stop(): { kernels: number; peakBytes: number } {
    this.tensors.stop();
    return { kernels: this.stopCounting(), peakBytes: this.tensors.peakBytes() };
  }
}

function countKernels(): () => number {
  const engine = tf.engine() as unknown as Engine;
  const runKernelFunc = engine.runKernelFunc!.bind(engine);
  let kernels = 0;
  engine.runKernelFunc = (options) => {
    if (options.kernelName !== undefined) kernels++;
    return runKernelFunc(options);
  };
  return () => {
    delete engine.runKernelFunc; // the prototype's again
    return kernels;
  };
}
