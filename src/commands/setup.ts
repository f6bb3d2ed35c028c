import { Command, Option } from '@commander-js/extra-typings';
import { provision, type SetupResult } from '../engines/provision/provision.js';
import { checkArithmetic } from '../engines/self-check.js';
import { useWasm } from '../engines/wasm.js';
import { RunError, UserError } from '../util/errors.js';
import { EXIT_CODES, STOP_SIGNALS, type StopSignal } from '../util/signals.js';

const EXAMPLES = `
What it does, in order: an engine that is there and passes a load test is kept; else the npm package's own download
(its mirror variables TFJS_NODE_CDN_STORAGE and TFJS_NODE_BASE_URI hold); else libtensorflow out of the TensorFlow
wheel, by pip, and the addon compiled here (needs python3 with pip, g++, Node's headers, 1.5 GB of disk); else WASM.
Engines are kept in the user's cache folder, or in $MPT_HOME, so that reinstalling packages does not lose them.

Examples:
  $ mpt setup                      the best engine for this machine
  $ mpt setup --engine node-gpu    TensorFlow with its CUDA libraries (5.3 GB, 12 GB while it is made)
  $ mpt setup --force --json       make it anew, and report in JSON`;

/** `mpt setup`: provides the native engine outside node_modules. */
export function setupCommand() {
  return new Command('setup')
    .description('provide the engine that computes: TensorFlow for CPU or GPU, else WASM')
    .addOption(
      new Option('--engine <name>', 'which engine to provide')
        .choices(['auto', 'node-gpu', 'node', 'wasm'] as const)
        .default('auto' as const),
    )
    .option('--force', 'make the engine anew although one is there')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (options) => {
      const start = performance.now();
      const result = await stoppable((signal) =>
        provision({
          engine: options.engine,
          force: options.force === true,
          signal,
          log: (line) =>
            process.stderr.write(`${((performance.now() - start) / 1000).toFixed(0).padStart(4)} s  ${line}\n`),
        }),
      );
      if (result.ok && result.engine === 'wasm') await proveWasm();
      if (options.json === true) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      else if (result.ok) process.stdout.write(`${describe(result)}\n`);
      if (!result.ok) {
        throw new RunError(`The engine ${options.engine} could not be provided: ${result.missing}.`, {
          hint: 'mpt runs on WASM meanwhile (--engine wasm): some ten times slower, same results.',
        });
      }
    });
}

/** Lines for people: what there is now and, if it is not the best, why. */
export function describe(result: SetupResult): string {
  const lines: string[] = [];
  if (result.engine === 'wasm') lines.push('engine: wasm (one thread; fit for the demo and small models)');
  else {
    const state = result.already_there ? 'was there and passes its load test' : 'is ready';
    lines.push(`engine: ${result.engine}, libtensorflow ${result.libtensorflow}, ${state}`, `folder: ${result.folder}`);
  }
  if (result.missing !== '') lines.push(`not better because ${result.missing}`);
  return lines.join('\n');
}

async function proveWasm(): Promise<void> {
  await useWasm();
  const faults = checkArithmetic();
  if (faults.length > 0) throw new RunError(`The WASM engine computes wrongly here: ${faults.join('; ')}.`);
}

/** Runs `work` so that Ctrl-C, SIGTERM and SIGHUP end its children, clean up and exit with the code of the signal. */
async function stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (name: StopSignal): void => controller.abort(name);
  for (const signal of STOP_SIGNALS) process.once(signal, stop);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    const exitCode = EXIT_CODES[controller.signal.reason as StopSignal];
    throw new UserError('Stopped; nothing half-made was left.', { exitCode, hint: 'Run mpt setup again to go on.' });
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, stop);
  }
}
