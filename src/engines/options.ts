import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { ENGINE_NAMES } from './choose.js';

/** The engine options that every computing command carries. */
export function engineOption() {
  return new Option(
    '--engine <name>',
    'what computes: the best there is, TensorFlow on GPU or CPU, WASM, or plain JavaScript (checking only)',
  )
    .choices(ENGINE_NAMES)
    .default('auto' as const);
}

export function allowCpuOption() {
  return new Option('--allow-cpu', 'with --engine node-gpu: run on the CPU where there is no GPU');
}

export function threadsOption() {
  return new Option('--threads <n>', 'threads of the native engine (default: the CPUs available)').argParser(
    (text: string) => {
      const threads = Number(text);
      if (!Number.isInteger(threads) || threads < 1) throw new InvalidArgumentError('A whole number from 1 on.');
      return threads;
    },
  );
}
