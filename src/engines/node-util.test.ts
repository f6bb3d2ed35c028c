import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restoreUtilPredicates } from './node-util.js';

test('the util predicates that Node 22 warns of and Node 23 removed are put in place', () => {
  const inspect = (): string => '';
  const util: Record<string, unknown> = { inspect };
  restoreUtilPredicates(util);
  assert.equal(util['inspect'], inspect);
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
});
