import { tf } from '../engines/tf.js';

interface Engine {
  runKernelFunc(options: { kernelName?: string; forwardFunc?: unknown }): unknown;
  trackTensor(tensor: unknown, backend: unknown): void;
}

/** Counts kernels and watches the bytes held in tensors, until `stop`. */
export class KernelCount {
  private kernels = 0;
  private peakBytes = 0;
  private readonly names = new Map<string, number>();
  private readonly restore: () => void;

  constructor() {
    const engine = tf.engine() as unknown as Engine;
    const runKernelFunc = engine.runKernelFunc.bind(engine);
    const trackTensor = engine.trackTensor.bind(engine);
    engine.runKernelFunc = (options) => {
      if (options.kernelName !== undefined) {
        this.kernels++;
        this.names.set(options.kernelName, (this.names.get(options.kernelName) ?? 0) + 1);
      }
      return runKernelFunc(options);
    };
    engine.trackTensor = (tensor, backend) => {
      trackTensor(tensor, backend);
      this.peakBytes = Math.max(this.peakBytes, tf.memory().numBytes);
    };
    this.restore = () => Object.assign(engine, { runKernelFunc, trackTensor });
  }

  stop(): { kernels: number; peakBytes: number; byName: Map<string, number> } {
    this.restore();
    return { kernels: this.kernels, peakBytes: this.peakBytes, byName: this.names };
  }
}
