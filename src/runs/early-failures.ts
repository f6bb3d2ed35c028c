// Runs whose command failed before they had a folder: `mpt run` writes them down beside its logs, reports read them.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { writeFileAtomic } from '../util/atomic-write.js';
import type { RunId } from './paths.js';
import { runFolder } from './paths.js';
import type { RunRecord } from './record.js';
import type { RunListing } from './status.js';
import { hostFacts, versions } from './versions.js';

/** What `mpt run` says of its commands; the dot keeps the folder out of listings of runs. */
export const LOGS_NAME = '.logs';

const SUFFIX = '.failed.json';

/** One file for each command that failed. */
interface EarlyFailures {
  format: 1;
  /** The log that says more, a file beside this one. */
  log: string;
  runs: {
    /** Where the run would be, from the experiment's folder on, with "/" between. */
    folder: string;
    record: RunRecord;
  }[];
}

function fileOf(log: string): string {
  return log.replace(/\.log$/, '') + SUFFIX;
}

/**
 * Writes down that runs failed; whatever the file said before is replaced.
 *
 * @param log file of the command's log, in the `.logs` of the experiment
 * @param began milliseconds since 1970, as is `now`
 */
export function writeEarlyFailures(
  log: string,
  ids: readonly RunId[],
  { out, error, began, now }: { out: string; error: string; began: number; now: number },
): void {
  const time = (at: number): string => new Date(at).toISOString();
  const record = (run: RunId): RunRecord => ({
    format: 1,
    run,
    status: 'failed',
    config_hash: '',
    step: null,
    total_steps: null,
    parameters: null,
    results: {},
    timings: { started: time(began), updated: time(now), ended: time(now), seconds: 0, attempts: 1 },
    versions: versions(),
    engine: null,
    fleet: null,
    host: hostFacts(),
    git: null,
    error,
  });
  const content: EarlyFailures = {
    format: 1,
    log: log.split(/[\\/]/).at(-1)!,
    runs: ids.map((id) => ({
      folder: relative(join(out, id.experiment), runFolder(out, id)).split(sep).join('/'),
      record: record(id),
    })),
  };
  writeFileAtomic(fileOf(log), `${JSON.stringify(content, null, 2)}\n`);
}

/** Forgets what the last start of a command came to. */
export function removeEarlyFailures(log: string): void {
  rmSync(fileOf(log), { force: true });
}

/** What is written down in an experiment's folder. A file that cannot be read says nothing: the log is still there. */
function earlyFailures(experiment: string): RunListing[] {
  const logs = join(experiment, LOGS_NAME);
  if (!existsSync(logs)) return [];
  const files = readdirSync(logs).filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.'));
  return files.sort().flatMap((name) => {
    try {
      const { format, log, runs } = JSON.parse(readFileSync(join(logs, name), 'utf8')) as EarlyFailures;
      if (format !== 1) return [];
      return runs.map(({ folder, record }): RunListing => ({
        folder: join(experiment, ...folder.split('/')),
        status: 'failed',
        record,
        problem: undefined,
        log: join(logs, log),
      }));
    } catch {
      return [];
    }
  });
}

/**
 * Adds the runs of an experiment that failed before they had a folder. One that was stopped or failed before, and whose
 * command failed when it was to go on, has failed for that; what has been done since counts more.
 *
 * @param listed the runs that have a folder
 */
export function withEarlyFailures(experiment: string, listed: readonly RunListing[]): RunListing[] {
  const failures = new Map(earlyFailures(experiment).map((failure) => [failure.folder, failure]));
  if (failures.size === 0) return [...listed];
  const known = listed.map((run): RunListing => {
    const failure = failures.get(run.folder);
    failures.delete(run.folder);
    const open = run.status === 'stopped' || run.status === 'killed' || run.status === 'failed';
    if (failure === undefined || !open || run.record!.timings.updated > failure.record!.timings.updated) return run;
    return { ...run, status: 'failed', record: { ...run.record!, error: failure.record!.error }, log: failure.log };
  });
  return [...known, ...failures.values()];
}
