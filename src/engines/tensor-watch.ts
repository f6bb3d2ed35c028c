import { tf } from './tf.js';

interface Engine {
  readonly state: { readonly numBytes: number };
  trackTensor?: (tensor: unknown, backend: unknown) => void;
}

/** Most bytes held in tensors while something was watched. */
export interface TensorWatch {
  /** From the start of the watch to now, or to its end. */
  peakBytes(): number;
  stop(): void;
}

const watches = new Set<{ peak: number }>();
/** Most bytes since the watches were last told. */
let high = 0;

/**
 * Watches the bytes in tensors from now on, as TensorFlow.js counts them: weights included, and a tensor that shares its
 * values with another one (a clone, another shape) counts again. The engine itself only says what is held now.
 */
export function watchTensors(): TensorWatch {
  const engine = tf.engine() as unknown as Engine;
  if (watches.size === 0) begin(engine);
  else tell(engine);
  const own = { peak: high };
  watches.add(own);
  return {
    peakBytes() {
      if (watches.has(own)) tell(engine);
      return own.peak;
    },
    stop() {
      if (!watches.has(own)) return;
      tell(engine);
      watches.delete(own);
      if (watches.size === 0) delete engine.trackTensor; // the prototype's again
    },
  };
}

function begin(engine: Engine): void {
  const trackTensor = engine.trackTensor!.bind(engine);
  high = engine.state.numBytes;
  engine.trackTensor = (tensor, backend) => {
    trackTensor(tensor, backend);
    high = Math.max(high, engine.state.numBytes);
  };
}

/** However many watch, a new tensor costs one comparison: they are told only when one begins, ends or is asked. */
function tell({ state }: Engine): void {
  for (const watch of watches) watch.peak = Math.max(watch.peak, high);
  high = state.numBytes;
}
