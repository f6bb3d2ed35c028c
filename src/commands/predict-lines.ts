import { isUtf8 } from 'node:buffer';
import { UserError } from '../util/errors.js';

/** A line of the input and its number, from 1. */
export interface Line {
  text: string;
  number: number;
}

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = '\uFEFF';

/** Cuts bytes into lines as they come. Line ends may be CRLF; a byte order mark at the start is dropped. */
class LineSplitter {
  private carried: Buffer[] = [];
  private count = 0;

  constructor(private readonly name: string) {}

  /** Adds the lines that end in these bytes. @throws UserError for one that is not UTF-8, once those before are added */
  push(bytes: Buffer, lines: Line[]): void {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      lines.push(this.line(bytes.subarray(start, end)));
      start = end + 1;
    }
    if (start < bytes.length) this.carried.push(bytes.subarray(start));
  }

  /** Adds what is left at the end: a last line without a line end. */
  end(lines: Line[]): void {
    if (this.carried.length > 0) lines.push(this.line(Buffer.alloc(0)));
  }

  private line(rest: Buffer): Line {
    const bytes = Buffer.concat([...this.carried, rest]);
    this.carried = [];
    this.count++;
    if (!isUtf8(bytes)) throw new UserError(`${this.name}:${this.count} is not UTF-8 text.`);
    const text = bytes.toString('utf8').replace(/\r$/, '');
    return { text: this.count === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text, number: this.count };
  }
}

const PAUSED = Symbol('paused');

/** Gives what is on its way a chance to arrive; a pipe that holds something is read in one round of the event loop. */
function pause(): Promise<typeof PAUSED> {
  return new Promise((resolve) => setImmediate(() => setImmediate(() => resolve(PAUSED))));
}

/**
 * Lines in batches: as soon as one is full, and as soon as the input pauses. So someone who types is answered line by
 * line, and a long file is read in full batches.
 *
 * @param options.patient wait for full batches; for files, which do not pause
 * @param input stays the caller's, who closes it
 * @throws UserError for a line that is not UTF-8, after the lines before it
 */
export async function* lineBatches(
  input: AsyncIterable<Buffer>,
  options: { size: number; name: string; patient: boolean },
): AsyncGenerator<Line[], void> {
  const chunks = input[Symbol.asyncIterator]();
  const splitter = new LineSplitter(options.name);
  const waiting: Line[] = [];
  let ended = false;
  let failure: Error | undefined;
  const read = (): Promise<IteratorResult<Buffer>> => {
    const next = chunks.next();
    next.catch(() => undefined); // it may fail while lines are answered; it is looked at afterwards
    return next;
  };
  let next = read();
  for (;;) {
    if (!ended && waiting.length < options.size) {
      const mayPause = !options.patient && waiting.length > 0;
      try {
        const result = await (mayPause ? Promise.race([next, pause()]) : next);
        if (result !== PAUSED) {
          ended = result.done === true;
          if (result.done) splitter.end(waiting);
          else {
            splitter.push(result.value, waiting);
            next = read();
          }
          continue;
        }
      } catch (error) {
        [ended, failure] = [true, error as Error];
        continue;
      }
    }
    if (waiting.length > 0) yield waiting.splice(0, options.size);
    else if (failure !== undefined) throw failure;
    else if (ended) return;
  }
}
