// Says what happens while a graph runs: a line per event, and on a terminal a bar below them.
import { log, paint } from '../logging/console.js';
import { startProgress, type ProgressMode } from '../logging/progress.js';
import { formatDuration } from '../util/format.js';
import type { RunEvent } from './execute.js';
import type { RunNode } from './node.js';

/** How many lines of a failed process's log are shown. */
const LOG_LINES = 6;

export interface LiveOptions {
  /** Ids of the nodes that are not done. Others may run too, which look whether what they were made from has changed. */
  open: readonly string[];
  progress: ProgressMode;
  /** The command of a node, as a shell reads it. */
  commandOf: (node: RunNode, slot: number) => string;
  /** What a finished node came to. */
  outcomeOf: (node: RunNode) => string;
  logOf: (node: RunNode) => string;
  lastLines: (file: string, count: number) => string[];
}

export interface Live {
  onEvent: (event: RunEvent) => void;
  stop: () => void;
}

export function showLive({ open, progress, commandOf, outcomeOf, logOf, lastLines }: LiveOptions): Live {
  const total = open.length;
  // Events are lines of their own: elsewhere than on a terminal they are progress enough.
  const isBar = process.stderr.isTTY === true && (progress === 'auto' || progress === 'bar');
  const bar = startProgress({ label: 'run', total, mode: isBar ? 'bar' : 'none' });
  const counted = new Set(open);
  const running = new Set<string>();
  let [ended, failed, blocked] = [0, 0, 0];
  const draw = (): void => {
    const troubles: Record<string, string> =
      failed + blocked === 0 ? {} : { failed: String(failed), blocked: String(blocked) };
    bar.update(ended, { now: [...running].join(' '), ...troubles });
  };
  const clock = setInterval(draw, 1000);
  clock.unref();
  const place = (id: string): string => (counted.has(id) ? `  ${paint.dim(`${ended} of ${total}`)}` : '');
  const onEvent = (event: RunEvent): void => {
    const { kind, node } = event;
    if (kind !== 'started' && kind !== 'waiting') {
      running.delete(node.id);
      if (kind !== 'stopped' && counted.has(node.id)) ended++;
    }
    switch (kind) {
      case 'started':
        running.add(node.id);
        log(`${paint.bold('▸')} ${node.id}\n  ${paint.dim(commandOf(node, event.slot))}`);
        break;
      case 'waiting':
        log(`  ${node.id}: another process works in its folder; waiting for that`);
        break;
      case 'finished': {
        const outcome = outcomeOf(node);
        const time = formatDuration(event.seconds * 1000);
        log(`${paint.green('✓')} ${node.id}: ${outcome === '' ? '' : `${outcome}, `}${time}${place(node.id)}`);
        break;
      }
      case 'failed': {
        failed++;
        const { code, signal } = event.end;
        const how = code === null ? `killed by ${signal}` : `exit ${code}`;
        const time = formatDuration(event.seconds * 1000);
        const lines = lastLines(logOf(node), LOG_LINES).map((line) => `    ${line}`);
        log(`${paint.red('✗')} ${node.id}: ${how} after ${time}${place(node.id)}`);
        log([...lines, `    (${logOf(node)})`].join('\n'));
        break;
      }
      case 'stopped':
        log(`${paint.yellow('■')} ${node.id}: stopped`);
        break;
      case 'blocked':
        blocked++;
        log(`${paint.yellow('–')} ${node.id}: blocked by ${event.by.id}`);
        break;
    }
    draw();
  };
  return {
    onEvent,
    stop() {
      clearInterval(clock);
      bar.stop();
    },
  };
}
