/**
 * The one way to TensorFlow.js in this project. `import … = require` compiles to Node's own require, so this is the
 * CommonJS copy that the native kernels of @tensorflow/tfjs-node-gpu require too: one engine, one kernel registry.
 */
import tf = require('@tensorflow/tfjs');

export { tf };
