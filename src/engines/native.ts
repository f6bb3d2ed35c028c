import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { ADDON_PATH, LIBRARY_PATH } from './layout.js';
import { installNativeMatMul } from './native-matmul.js';
import { restoreUtilPredicates } from './node-util.js';
import { tf } from './tf.js';

const require = createRequire(import.meta.url);

/** The npm package that holds the kernels, the backend class and the addon's sources (the optional dependency). */
export const NATIVE_PACKAGE = '@tensorflow/tfjs-node-gpu';

/** The name under which the native backend is registered with TensorFlow.js. */
export const NATIVE_BACKEND = 'tensorflow';

/** The part of the addon used here (the package's own types are absent when the package is). */
interface Binding {
  readonly TF_Version: string;
  isUsingGpuDevice(): boolean;
  getNumOfTensors(): number;
}

interface BackendModule {
  readonly NodeJSKernelBackend: new (binding: Binding, packageName: string) => ReturnType<typeof tf.backend>;
}

export interface LoadedNative {
  readonly folder: string;
  /** As TensorFlow reports it. */
  readonly libtensorflow: string;
  /** Whether TensorFlow found a GPU and puts tensors there. */
  readonly usingGpu: boolean;
}

let loaded: LoadedNative | undefined;

/** The native engine this process has loaded, if any: one per process, since two libtensorflows cannot share one. */
export function loadedNative(): LoadedNative | undefined {
  return loaded;
}

/** The folder of the optional package, or null when it was not installed. Its index.js is never loaded. */
export function nativePackageFolder(): string | null {
  try {
    return dirname(require.resolve(`${NATIVE_PACKAGE}/package.json`));
  } catch {
    return null;
  }
}

/** Version of the optional package, or null. */
export function nativePackageVersion(): string | null {
  const folder = nativePackageFolder();
  return folder === null ? null : (require(join(folder, 'package.json')) as { version: string }).version;
}

/**
 * Sets what TensorFlow reads from the environment. It does so while it is being loaded, and process.env reaches the
 * C library's environment, so this must come first. What the user has set stays, except threads asked for here.
 */
export function prepareEnvironment(options: {
  threads?: number | undefined;
  hideGpu?: boolean;
  defaultThreads: number;
}) {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  // Take GPU memory as it is needed: the default takes all of it, and the next run on the card fails.
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  if (options.threads !== undefined) {
    process.env['TF_NUM_INTRAOP_THREADS'] = String(options.threads);
  } else {
    process.env['TF_NUM_INTRAOP_THREADS'] ??= String(options.defaultThreads);
  }
  // Eager ops run one after another, so more than one inter-op thread is never busy.
  process.env['TF_NUM_INTEROP_THREADS'] ??= '1';
  if (options.hideGpu === true) process.env['CUDA_VISIBLE_DEVICES'] = '-1';
}

/** What TensorFlow opens by name at run time; their own helpers (cuDNN's parts, say) they find beside themselves. */
const CUDA_LIBRARIES =
  /^lib(cudart|cublasLt|cublas|cudnn|cufft|curand|cusolver|cusparse|nccl|nvJitLink|nvrtc|cupti)\.so\.\d+$/;

/** Of dlopen(3), on Linux with glibc and musl; Node names only some of the flags. */
const RTLD_NODELETE = 0x1000;

/**
 * Opens the CUDA libraries of the nvidia-* wheels and keeps them open: when TensorFlow then asks for libcudart.so.12
 * by name, the loader answers with the one that is there. Their folders are on no search path, and LD_LIBRARY_PATH is
 * read only when a process starts. They need one another, so what fails is tried again while others succeed.
 * Verified to open them all; not verified on a machine with a GPU.
 *
 * @returns the files that were opened.
 */
export function preloadLibraries(folders: readonly string[], names: RegExp = CUDA_LIBRARIES): string[] {
  const opened: string[] = [];
  let pending = folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => ({ name, path: join(folder, name) })))
    .filter(({ name }) => names.test(name))
    .map(({ path }) => path);
  for (let before = Infinity; pending.length > 0 && pending.length < before;) {
    before = pending.length;
    pending = pending.filter((path) => {
      try {
        process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_LAZY | RTLD_NODELETE);
      } catch (error) {
        // "did not self-register": it was opened, is no addon, and would be closed again but for RTLD_NODELETE.
        if (!(error instanceof Error && error.message.includes('self-register'))) return true;
      }
      opened.push(path);
      return false;
    });
  }
  return opened;
}

/**
 * Loads the addon of an engine folder and registers the `tensorflow` backend with the project's TensorFlow.js.
 * The kernels and the backend class are the npm package's own files; its index.js is passed by, because it insists
 * on an addon inside node_modules. Call `prepareEnvironment` before.
 *
 * @param folder an engine folder (layout.ts): the addon at lib/napi-v8, libtensorflow at deps/lib.
 * @throws Error when the npm package is absent, the addon or libtensorflow cannot be loaded, or another engine is.
 */
export function loadNative(folder: string, preload: readonly string[] = []): LoadedNative {
  if (loaded !== undefined) {
    if (loaded.folder === folder) return loaded;
    throw new Error(`This process has loaded the engine in ${loaded.folder}; one in ${folder} needs a new process.`);
  }
  const packageFolder = nativePackageFolder();
  if (packageFolder === null) throw new Error(`The optional npm package ${NATIVE_PACKAGE} is not installed.`);
  if (!existsSync(join(folder, LIBRARY_PATH))) throw new Error(`There is no ${join(folder, LIBRARY_PATH)}.`);
  restoreUtilPredicates();
  preloadLibraries(preload.map((path) => join(folder, path)));
  const binding = require(join(folder, ADDON_PATH)) as Binding;
  require(join(packageFolder, 'dist', 'register_all_kernels.js'));
  const { NodeJSKernelBackend } = require(join(packageFolder, 'dist', 'nodejs_kernel_backend.js')) as BackendModule;
  installNativeMatMul(NATIVE_BACKEND);
  tf.registerBackend(NATIVE_BACKEND, () => new NodeJSKernelBackend(binding, NATIVE_PACKAGE), 3);
  loaded = { folder, libtensorflow: binding.TF_Version, usingGpu: binding.isUsingGpuDevice() };
  return loaded;
}
