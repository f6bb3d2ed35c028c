import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sweepPoints } from './sweep.js';

test('a sweep goes through every value of a key with every value of the others', () => {
  assert.deepEqual(sweepPoints([]), []);
  assert.deepEqual(sweepPoints(['optim.learning_rate=0.1, 3e-1']), [
    { set: ['optim.learning_rate=0.1'], variant: 'learning_rate_0.1' },
    { set: ['optim.learning_rate=3e-1'], variant: 'learning_rate_3e-1' },
  ]);
  assert.deepEqual(
    sweepPoints(['optim.learning_rates.shared_prompt=0.3,1', 'train.batch_size=8,16']).map(({ variant }) => variant),
    [
      'shared_prompt_0.3-batch_size_8',
      'shared_prompt_0.3-batch_size_16',
      'shared_prompt_1-batch_size_8',
      'shared_prompt_1-batch_size_16',
    ],
  );
});

test('what cannot be swept is refused', () => {
  assert.throws(() => sweepPoints(['optim.learning_rate']), /is no key with values/);
  assert.throws(() => sweepPoints(['optim.learning_rate=0.1,']), /is no key with values/);
  assert.throws(() => sweepPoints(['optim.learning_rate=']), /is no key with values/);
  assert.throws(() => sweepPoints(['optim.learning_rate=0.1,0.1']), /has a value twice/);
  assert.throws(() => sweepPoints(['=1,2']), /only keys of optim and train can be swept, not nothing/);
  assert.throws(() => sweepPoints(['model=a,b']), /only keys of optim and train can be swept, not model/);
  assert.throws(() => sweepPoints(['train.batch_size=8', 'train.batch_size=16']), /names train.batch_size twice/);
});
