// Keeps what failed commands came to where reports find it: many end before their runs have a folder that could say so.
import { warn } from '../logging/console.js';
import type { RunId } from '../runs/paths.js';
import { runFolder } from '../runs/paths.js';
import { removeEarlyFailures, writeEarlyFailures } from '../runs/early-failures.js';
import { inspectRun } from '../runs/status.js';
import { UserError } from '../util/errors.js';
import type { RunEvent } from './execute.js';
import { expectedRuns } from './expected-runs.js';
import type { RunNode } from './node.js';
import type { ChildEnd } from './processes.js';

/** Enough of a log's end to have its error in it. */
const LINES = 40;

/** Why a process failed, on one line: its last error, else the last that it said. */
export function failureReason(lines: readonly string[], { code, signal }: ChildEnd): string {
  if (code === null) return `its process was killed by ${signal}`;
  const at = lines.findLastIndex((line) => line.startsWith('error: '));
  if (at < 0) return lines.at(-1)?.trim() ?? `exit ${code}`;
  // "3 faults in the configuration:" says it in the lines below.
  const below = lines.slice(at + 1).filter((line) => line.startsWith('  '));
  const own = lines[at]!.slice('error: '.length).trim();
  return own.endsWith(':') ? [own, ...below.map((line) => line.trim())].join(' ') : own;
}

/**
 * The runs of a node that could not say what they came to: none, where one of them says why the command has ended. Draws
 * count as one.
 *
 * @param began when the command was started, in milliseconds since 1970
 */
function silentRuns(node: RunNode, began: number): RunId[] {
  const { out } = node.resolved;
  const listed = expectedRuns(node).map(({ id }) => ({ id, listing: inspectRun(runFolder(out, id)) }));
  const isTold = listed.some(
    ({ listing }) => listing?.status === 'failed' && Date.parse(listing.record!.timings.updated) >= began,
  );
  if (isTold) return [];
  const silent = listed.flatMap(({ id, listing }) => {
    const status = listing?.status;
    const says = status === 'finished' || status === 'damaged' || status === 'running';
    const { draw: _, ...whole } = id;
    return says ? [] : [whole];
  });
  return [...new Map(silent.map((id) => [runFolder(out, id), id])).values()];
}

/**
 * Looks on as nodes run: writes down which failed and why, and forgets it as they start anew.
 *
 * @param logOf the log of a node
 * @param lastLines of a log
 */
export function failureKeeper(
  logOf: (node: RunNode) => string,
  lastLines: (log: string, count: number) => string[],
  now: () => number = Date.now,
): (event: RunEvent) => void {
  return (event) => {
    const { kind, node } = event;
    if (kind !== 'started' && kind !== 'failed') return;
    const log = logOf(node);
    try {
      if (kind === 'started') return removeEarlyFailures(log);
      const began = now() - 1000 * event.seconds;
      const ids = silentRuns(node, began);
      if (ids.length === 0) return;
      const error = failureReason(lastLines(log, LINES), event.end);
      writeEarlyFailures(log, ids, { out: node.resolved.out, error, began, now: now() });
    } catch (fault) {
      // The other nodes matter more than what a report will say of this one.
      if (!(fault instanceof UserError) && !(fault instanceof Error && 'syscall' in fault)) throw fault;
      warn(`${node.id} has failed, but no report will know of it: ${fault.message}`);
    }
  };
}
