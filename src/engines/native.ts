import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
// placeholder loader, replaced by the engines helper
export function loadNativeBinding(folder: string): void {
  const tf = require('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');
  require('@tensorflow/tfjs-node-gpu/dist/register_all_kernels');
  const { NodeJSKernelBackend } = require('@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend');
  const bindings = require(folder + '/lib/napi-v8/tfjs_binding.node');
  tf.registerBackend('tensorflow', () => new NodeJSKernelBackend(bindings, '@tensorflow/tfjs-node-gpu'), 3);
}
