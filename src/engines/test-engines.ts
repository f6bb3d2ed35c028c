import { gatherFacts, startEngine } from './select.js';

/** Engines that tests run on: each suite runs once per engine that is there, and WASM always is. */
export type TestEngine = 'node' | 'wasm';

/** The engines of this machine, without loading one. */
export function availableEngines(): Promise<TestEngine[]> {
  const { engines, packageInstalled } = gatherFacts();
  return Promise.resolve(packageInstalled && engines.length > 0 ? ['node', 'wasm'] : ['wasm']);
}

/** Makes `name` the engine of the tensors made from here on. Those of the other engine stay where they are. */
export async function useEngine(name: TestEngine): Promise<void> {
  await startEngine({ engine: name });
}
