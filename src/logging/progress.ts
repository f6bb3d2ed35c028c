import { Presets, SingleBar } from 'cli-progress';
import { formatCount, formatDuration } from '../util/format.js';
import { setLiveLine } from './console.js';

export const PROGRESS_MODES = ['auto', 'bar', 'text', 'none'] as const;
/** auto = a bar on a terminal, timed lines elsewhere. */
export type ProgressMode = (typeof PROGRESS_MODES)[number];

export interface Progress {
  /** @param done steps so far; @param fields shown behind, e.g. { loss: '0.532' } */
  update(done: number, fields?: Record<string, string>): void;
  /** Ends the display; text mode says the last state once more unless it just did. */
  stop(): void;
}

export interface ProgressOptions {
  label: string;
  total: number;
  /** Steps done before this process began (a resumed run); they do not count for the speed. */
  start?: number;
  mode?: ProgressMode;
  stream?: NodeJS.WritableStream & { isTTY?: boolean };
  /** Milliseconds; for tests. */
  now?: () => number;
}

const LINE_EVERY_MS = 5000;

/** Shows how far a long piece of work is, on stderr. */
export function startProgress({ mode = 'auto', stream = process.stderr, ...rest }: ProgressOptions): Progress {
  if (mode === 'none') return { update: () => undefined, stop: () => undefined };
  // A bar needs a terminal, also where it was asked for.
  const bar = mode !== 'text' && stream.isTTY === true;
  return bar ? barProgress({ ...rest, stream }) : textProgress({ ...rest, stream });
}

type Resolved = ProgressOptions & { stream: NodeJS.WritableStream };

function fieldsText(fields: Record<string, string>): string {
  return Object.entries(fields)
    .map(([name, value]) => `  ${name} ${value}`)
    .join('');
}

/** Time taken and time left at the speed of this process so far. */
function timing(options: Resolved): (done: number) => string {
  const { total, start = 0, now = Date.now } = options;
  const began = now();
  return (done) => {
    const taken = now() - began;
    const perStep = taken / (done - start);
    const left = done > start && done < total ? `, ${formatDuration(perStep * (total - done))} left` : '';
    return `${formatDuration(taken)}${left}`;
  };
}

function textProgress(options: Resolved): Progress {
  const { label, total, start = 0, stream, now = Date.now } = options;
  const time = timing(options);
  let [lastLine, latest, shownDone] = [now(), { done: start, fields: {} as Record<string, string> }, -1];
  const show = (): void => {
    const { done, fields } = latest;
    const percent = total > 0 ? Math.floor((100 * done) / total) : 100;
    stream.write(
      `${label}  ${formatCount(done)}/${formatCount(total)} (${percent} %)${fieldsText(fields)}  ${time(done)}\n`,
    );
    [lastLine, shownDone] = [now(), done];
  };
  return {
    update(done, fields = {}) {
      latest = { done, fields };
      if (now() - lastLine >= LINE_EVERY_MS) show();
    },
    stop() {
      if (shownDone !== latest.done) show();
    },
  };
}

function barProgress(options: Resolved): Progress {
  const { label, total, start = 0, stream } = options;
  const time = timing(options);
  const bar = new SingleBar(
    {
      format: '{label} {bar} {value}/{total}{fields}  {time}',
      stream,
      barsize: 24,
      hideCursor: true,
      linewrap: false,
      // Training keeps the event loop busy between steps: draw on update, not on a timer.
      synchronousUpdate: true,
      // Interrupts are for the run to handle, so that it can save first.
      gracefulExit: false,
      emptyOnZero: true,
    },
    Presets.shades_classic,
  );
  // The bar hides the cursor: give it back however the process ends.
  const restore = (): void => bar.stop();
  process.once('exit', restore);
  bar.start(total, start, { label, fields: '', time: '' });
  setLiveLine({
    clear: () => void stream.write('\r\u001b[K'),
    redraw: () => bar.render(),
  });
  return {
    update(done, fields = {}) {
      bar.update(done, { fields: fieldsText(fields), time: time(done) });
    },
    stop() {
      setLiveLine(undefined);
      process.off('exit', restore);
      bar.stop();
    },
  };
}
