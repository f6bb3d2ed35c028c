import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restoreUtilPredicates } from './node-util.js';

test('the util predicates that Node 23 removed are put back, and only those', () => {
  const own = (): boolean => true;
  const util: Record<string, unknown> = { isString: own };
  const restored = restoreUtilPredicates(util);
  assert.ok(restored.includes('isNullOrUndefined') && restored.includes('isArray'));
  assert.equal(util['isString'], own);
  const { isNullOrUndefined, isArray, isObject } = util as Record<string, (value: unknown) => boolean>;
  assert.deepEqual([null, undefined, 0, ''].map(isNullOrUndefined!), [true, true, false, false]);
  assert.deepEqual(
    [[], {}].map((value) => isArray!(value)),
    [true, false],
  );
  assert.deepEqual(
    [{}, null, () => 0].map((value) => isObject!(value)),
    [true, false, false],
  );
  assert.deepEqual(restoreUtilPredicates(util), []);
});
