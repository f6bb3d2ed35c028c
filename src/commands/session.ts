import { startEngine, type EngineInfo } from '../engines/select.js';
import type { EngineSection } from '../config/schema.js';
import { print, printJson } from '../logging/console.js';
import type { Context, RunOutcome } from '../recipes/context.js';
import { watchSignals } from '../util/signals.js';
import type { StageOptions } from './stage-options.js';

/** Starts the engine of a config and says what the recipe needs to know of the command line. */
export async function startContext(
  engine: EngineSection,
  options: StageOptions & { sweep?: string[] | undefined },
): Promise<Context> {
  const info: EngineInfo = await startEngine({
    engine: engine.name,
    allow_cpu: engine.allow_cpu,
    ...(engine.threads === null ? {} : { threads: engine.threads }),
  });
  watchSignals();
  return {
    engine: info,
    force: options.force === true,
    dry_run: options.dryRun === true,
    sweeps: options.sweep !== undefined,
    progress: options.progress,
  };
}

/** The runs of a stage, as the last thing a command says: what came of each and where it lies. */
export function reportOutcomes(outcomes: readonly RunOutcome[], options: StageOptions): void {
  if (options.json) {
    printJson(
      outcomes.map(({ id, folder, skipped, record }) => ({
        ...id,
        folder,
        skipped,
        status: record.status,
        results: record.results,
      })),
    );
    return;
  }
  if (outcomes.length > 0) print(outcomes.map(({ folder }) => folder).join('\n'));
}
