import type { RunListing } from '../runs/status.js';
import { configOf, knownRuns } from './figures/data.js';
import { cellsOfRun } from './collect-progress.js';
import { publishedModel } from './published.js';
import type { PublishedModel } from './published/shape.js';

/** What a method's runs were done on. */
export interface ModelFacts {
  /** As the config names it: an id of the hub, a folder, "bundled". */
  name: string;
  /** Numbers in it; null where no run says so. */
  parameters: number | null;
  /** Which of the paper's models it is. */
  published: PublishedModel | null;
}

/** The model of each method label; every run of a label is of one. */
export function collectModels(runs: readonly RunListing[]): Map<string, ModelFacts> {
  const models = new Map<string, ModelFacts>();
  const known = knownRuns(runs).filter(({ record }) => cellsOfRun(record.run).length > 0);
  for (const run of known) {
    const { method } = run.record.run;
    const total = run.record.parameters?.total ?? null;
    const before = models.get(method);
    if (before !== undefined && (before.parameters !== null || total === null)) continue;
    const name = before?.name ?? configOf(run)?.['model'];
    if (typeof name !== 'string') continue;
    models.set(method, { name, parameters: total, published: publishedModel(total, name) });
  }
  return models;
}
