/** Maps data to pixels along one axis. */
export interface Scale {
  domain: [number, number];
  ticks: number[];
  at: (value: number) => number;
  label: (tick: number) => string;
}

/** The step of the form 1, 2 or 5 times a power of ten that cuts `span` into about `count` parts. */
export function niceStep(span: number, count: number): number {
  const raw = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const fraction = raw / power;
  const factor = fraction < 1.5 ? 1 : fraction < 3.5 ? 2 : fraction < 7.5 ? 5 : 10;
  return factor * power;
}

/** Without the noise of binary fractions: 0.30000000000000004 → 0.3. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}

function multiples(step: number, low: number, high: number): number[] {
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => tidy((first + index) * step));
}

/** Multiples of a nice step within [low, high]. */
export function niceTicks(low: number, high: number, count: number): number[] {
  return high > low ? multiples(niceStep(high - low, count), low, high) : [low];
}

/** Ticks of a logarithmic axis: powers of ten, with 2 and 5 between them where there is room. */
export function logTicks(low: number, high: number, count: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const decades = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const every = Math.max(1, Math.ceil((last - first) / count));
  const inside = (ticks: number[]): number[] =>
    ticks.map(tidy).filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9));
  const powers = inside(decades.filter((decade) => decade % every === 0).map((decade) => 10 ** decade));
  if (powers.length >= 3) return powers;
  const between = inside(decades.flatMap((decade) => [1, 2, 5].map((factor) => factor * 10 ** decade)));
  return between.length >= 3 ? between : niceTicks(low, high, count);
}

/** As many decimals as tell neighbouring ticks apart. */
function tickLabel(tick: number, ticks: readonly number[]): string {
  const gaps = ticks.slice(1).map((value, index) => Math.abs(value - ticks[index]!));
  const step = gaps.length > 0 ? Math.min(...gaps) : Math.abs(tick) || 1;
  const largest = Math.max(...ticks.map(Math.abs), 0);
  if (largest >= 1e7 || (largest > 0 && step < 1e-4)) {
    return tick === 0 ? '0' : tick.toExponential(1).replace('.0e', 'e').replace('e+', 'e');
  }
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return tick.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** Ticks of a logarithmic axis differ in size: each has the decimals that it needs itself. 1.5 → 0.1, 20 → 1. */
function ownStep(tick: number): number {
  let step = 1;
  while (step > 1e-9 && Math.abs(Math.round(tick / step) * step - tick) > tick * 1e-9) step /= 10;
  return step;
}

/** A span that can be divided: a single value gets room on both sides. */
function widened(low: number, high: number): [number, number] {
  if (high > low) return [low, high];
  const room = Math.abs(low) * 0.1 || 1;
  return [low - room, high + room];
}

export interface ScaleOptions {
  /** About how many ticks. */
  count: number;
  /** Move the ends out to the next tick; otherwise the axis ends with the data. */
  nice?: boolean;
  /** The axis does not reach beyond these, however far the data do. */
  limits?: [number, number];
}

/** Linear axis over the finite `values`, which must not be empty, onto the pixels [from, to]. */
export function linearScale(values: readonly number[], [from, to]: [number, number], options: ScaleOptions): Scale {
  let [low, high] = widened(least(values), most(values));
  const step = niceStep(high - low, options.count);
  if (options.nice === true) {
    [low, high] = [tidy(Math.floor(low / step + 1e-9) * step), tidy(Math.ceil(high / step - 1e-9) * step)];
  }
  if (options.limits !== undefined) {
    const [floor, ceiling] = options.limits;
    if (low < floor && high > floor) low = floor;
    if (high > ceiling && low < ceiling) high = ceiling;
  }
  const ticks = multiples(step, low, high);
  return {
    domain: [low, high],
    ticks,
    at: (value) => from + ((value - low) / (high - low)) * (to - from),
    label: (tick) => tickLabel(tick, ticks),
  };
}

/** Logarithmic axis over the positive `values`, which must not be empty. */
export function logScale(values: readonly number[], [from, to]: [number, number], count: number): Scale {
  const [low, high] = least(values) < most(values) ? [least(values), most(values)] : [values[0]! / 2, values[0]! * 2];
  const ticks = logTicks(low, high, count);
  const [start, span] = [Math.log(low), Math.log(high) - Math.log(low)];
  return {
    domain: [low, high],
    ticks,
    at: (value) => from + ((Math.log(value) - start) / span) * (to - from),
    label: (tick) => tickLabel(tick, [tick, tick + ownStep(tick)]),
  };
}

// Spread arguments overflow the stack beyond some 100,000 values.
function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}
