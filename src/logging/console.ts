import colours from 'picocolors';

// Logs go to stderr and data to stdout, so that `mpt … --json > file` holds nothing but the data.

/** Something that keeps redrawing the last line of the terminal, and steps aside for other lines. */
export interface LiveLine {
  clear(): void;
  redraw(): void;
}

let live: LiveLine | undefined;

/** The progress bar says that it is there (or, with undefined, no longer). */
export function setLiveLine(line: LiveLine | undefined): void {
  live = line;
}

/** Colours for stderr: none when it is not a terminal or NO_COLOR is set. */
export const paint = colours.createColors(colours.isColorSupported && process.stderr.isTTY === true);

function write(text: string): void {
  live?.clear();
  process.stderr.write(`${text}\n`);
  live?.redraw();
}

/** A line about what is going on. */
export function log(text = ''): void {
  write(text);
}

/** Something a person should know, though the work goes on. */
export function warn(text: string): void {
  write(`${paint.yellow('warning:')} ${text}`);
}

/** Results, on stdout. */
export function print(text: string): void {
  live?.clear();
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  live?.redraw();
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** What is about to happen, as aligned "name  value" lines under a title. Further lines of a value are indented. */
export function formatBanner(title: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  const lines = rows.map(
    ([name, value]) => `  ${paint.dim(name.padEnd(width))}  ${value.replaceAll('\n', `\n${' '.repeat(width + 4)}`)}`,
  );
  return [paint.bold(title), ...lines].join('\n');
}

export function banner(title: string, rows: readonly (readonly [string, string])[]): void {
  write(formatBanner(title, rows));
}
