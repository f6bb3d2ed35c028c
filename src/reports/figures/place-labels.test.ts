import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { overlaps, placeLabels, type Box, type LabelledPoint } from './place-labels.js';

const area: Box = { x: 30, y: 20, width: 400, height: 220 };
const RADIUS = 6;

const point: fc.Arbitrary<LabelledPoint> = fc.record({
  x: fc.integer({ min: 30, max: 430 }),
  y: fc.integer({ min: 20, max: 240 }),
  width: fc.integer({ min: 10, max: 180 }),
  height: fc.constant(13),
});

test('labels cover neither each other, nor a point, nor an obstacle, and stay inside', () => {
  const obstacle = fc.record({
    x: fc.integer({ min: 30, max: 400 }),
    y: fc.integer({ min: 20, max: 200 }),
    width: fc.constant(8),
    height: fc.integer({ min: 4, max: 60 }),
  });
  fc.assert(
    fc.property(fc.array(point, { maxLength: 25 }), fc.array(obstacle, { maxLength: 5 }), (points, obstacles) => {
      const boxes = placeLabels(points, area, { radius: RADIUS, obstacles }).flatMap((label) => label?.box ?? []);
      boxes.forEach((box, i) => {
        assert.ok(boxes.slice(i + 1).every((other) => !overlaps(box, other)));
        assert.ok(obstacles.every((other) => !overlaps(box, other)));
        for (const { x, y } of points) {
          const marker = { x: x - RADIUS, y: y - RADIUS, width: 2 * RADIUS, height: 2 * RADIUS };
          assert.ok(!overlaps(box, marker));
        }
        assert.ok(box.x >= area.x && box.x + box.width <= area.x + area.width);
        assert.ok(box.y >= area.y && box.y + box.height <= area.y + area.height);
      });
    }),
    { numRuns: 300 },
  );
});

test('a lone point has its label at its right; seven spread out all have one', () => {
  const [alone] = placeLabels([{ x: 100, y: 100, width: 40, height: 12 }], area);
  assert.deepEqual(alone, { box: { x: 108, y: 94, width: 40, height: 12 }, leader: false });
  const methods = Array.from({ length: 7 }, (_, i) => ({
    x: 60 + 40 * i,
    y: 60 + 20 * (i % 3),
    width: 50,
    height: 13,
  }));
  assert.ok(placeLabels(methods, area).every((label) => label !== null));
});

test('where points lie on each other, labels are led to them, and what has no room is said to have none', () => {
  const same = Array.from({ length: 5 }, () => ({ x: 200, y: 120, width: 60, height: 13 }));
  const labels = placeLabels(same, area);
  assert.ok(labels.every((label) => label !== null) && labels.some((label) => label!.leader));
  const wide = { x: 200, y: 120, width: 500, height: 13 };
  assert.deepEqual(placeLabels([wide], area), [null]);
});
