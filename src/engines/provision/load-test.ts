import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { runProgram } from './process.js';

const reportSchema = z.object({ libtensorflow: z.string(), using_gpu: z.boolean() });
export type LoadReport = z.infer<typeof reportSchema>;

/** Long: the first use of a GPU may compile its kernels. */
const LOAD_MS = 5 * 60_000;

/**
 * Loads an engine in a process of its own and checks a matMul and a gradient. A library that does not fit the machine
 * (its CPU instructions, its CUDA) may end the process that loads it.
 *
 * @returns the report, or one line that says what failed.
 */
export async function loadTest(
  folder: string,
  preload: readonly string[],
  signal?: AbortSignal,
): Promise<LoadReport | string> {
  const child = fileURLToPath(new URL('./load-test-child.js', import.meta.url));
  const result = await runProgram(process.execPath, [child, folder, ...preload], { timeoutMs: LOAD_MS, signal });
  if (result.code !== 0) return result.fault;
  try {
    return reportSchema.parse(JSON.parse(result.stdout.trim().split('\n').at(-1) ?? ''));
  } catch {
    return `the load test said nothing sensible: ${result.fault}`;
  }
}
