import { tf } from '../engines/tf.js';
import { watchTensors } from '../engines/tensor-watch.js';

interface Engine {
  runKernelFunc?: (options: { kernelName?: string }) => unknown;
}

/**
 * Counts kernels and watches the bytes held in tensors, until `stop`. Operations that are called by their name in
 * TensorFlow (engines/native-ops.ts) are no kernels of TensorFlow.js and are not counted.
 */
export class KernelCount {
  private kernels = 0;
  private readonly engine = tf.engine() as unknown as Engine;
  private readonly tensors = watchTensors();

  constructor() {
    const runKernelFunc = this.engine.runKernelFunc!.bind(this.engine);
    this.engine.runKernelFunc = (options) => {
      if (options.kernelName !== undefined) this.kernels++;
      return runKernelFunc(options);
    };
  }

  stop(): { kernels: number; peakBytes: number } {
    delete this.engine.runKernelFunc; // the prototype's again
    this.tensors.stop();
    return { kernels: this.kernels, peakBytes: this.tensors.peakBytes() };
  }
}
