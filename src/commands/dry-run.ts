import { print } from '../logging/console.js';
import type { StageOptions } from './stage-options.js';

/** With --dry-run prints the resolved config and says so; the recipe then only describes its runs. */
export function dryRun(resolvedConfig: string, options: StageOptions): boolean {
  if (options.dryRun !== true) return false;
  print(resolvedConfig);
  return true;
}
