/** A box on the page, x and y of its upper left corner. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface LabelledPoint {
  x: number;
  y: number;
  /** Size of the label's text. */
  width: number;
  height: number;
}

/** Where a label stands, and whether it is so far from its point that a line should lead there. */
export interface PlacedLabel {
  box: Box;
  leader: boolean;
}

export function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

const inside = (box: Box, area: Box): boolean =>
  box.x >= area.x &&
  box.y >= area.y &&
  box.x + box.width <= area.x + area.width &&
  box.y + box.height <= area.y + area.height;

/** Directions to try, the ones that read best first: right, left, above, below, then between them. */
const DIRECTIONS: readonly (readonly [number, number])[] = [
  [1, 0],
  [-1, 0],
  [0, -1],
  [0, 1],
  [0.75, -0.75],
  [-0.75, -0.75],
  [0.75, 0.75],
  [-0.75, 0.75],
];
/** Distances from the point to the label's nearest edge. */
const DISTANCES = [8, 14, 24, 36, 52, 70, 90];

/** Beyond this a label no longer clearly belongs to its point. */
const LEADER_BEYOND = 14;

function candidate(point: LabelledPoint, [dx, dy]: readonly [number, number], distance: number): Box {
  const { x, y, width, height } = point;
  const [centreX, centreY] = [x + dx * (distance + width / 2), y + dy * (distance + height / 2)];
  // To the side a label stands away by its width, above and below by its height, diagonally by both.
  return { x: centreX - width / 2, y: centreY - height / 2, width, height };
}

/**
 * Places for the labels of points so that no label covers another, a point, or one of the `obstacles`, and all lie
 * within `area`. The most crowded points choose first.
 *
 * @param radius half the size of the points' markers
 * @returns one entry per point; null where there is no room, which the caller must make up for with a legend
 */
export function placeLabels(
  points: readonly LabelledPoint[],
  area: Box,
  { radius = 6, obstacles = [] }: { radius?: number; obstacles?: readonly Box[] } = {},
): (PlacedLabel | null)[] {
  const markers = points.map(({ x, y }): Box => ({
    x: x - radius,
    y: y - radius,
    width: 2 * radius,
    height: 2 * radius,
  }));
  const neighbours = (point: LabelledPoint): number =>
    points.filter(({ x, y }) => Math.abs(x - point.x) < point.width && Math.abs(y - point.y) < 3 * point.height).length;
  const order = points.map((_, i) => i).sort((a, b) => neighbours(points[b]!) - neighbours(points[a]!) || a - b);
  const placed: (PlacedLabel | null)[] = points.map(() => null);
  for (const i of order) {
    const taken = [...markers, ...obstacles, ...placed.flatMap((label) => (label === null ? [] : [label.box]))];
    search: for (const distance of DISTANCES) {
      for (const direction of DIRECTIONS) {
        const box = candidate(points[i]!, direction, distance);
        if (!inside(box, area) || taken.some((other) => overlaps(box, other))) continue;
        placed[i] = { box, leader: distance > LEADER_BEYOND };
        break search;
      }
    }
  }
  return placed;
}
