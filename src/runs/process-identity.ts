import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Names a process for good: a process id alone is given out again after its process has ended. */
export interface ProcessIdentity {
  pid: number;
  host: string;
  /** Start of the process, where the system tells (Linux): the boot and the ticks since then. */
  process_start: string | null;
}

function processStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 22; the second field is the command in parentheses and may hold anything.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${ticks}`;
  } catch {
    return null;
  }
}

export function thisProcess(): ProcessIdentity {
  return { pid: process.pid, host: hostname(), process_start: processStart(process.pid) };
}

/** Whether the process still runs; "unknown" for one on another machine. */
export function stateOf({ pid, host, process_start }: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  if (host !== hostname()) return 'unknown';
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead'; // EPERM: it is another user's, and alive
  }
  const now = processStart(pid);
  return process_start !== null && now !== null && now !== process_start ? 'dead' : 'alive';
}
