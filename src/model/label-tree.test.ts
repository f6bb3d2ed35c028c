import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followTree, labelTree, sees } from './label-tree.js';

const EOS = 1;

test('labels share the nodes of what they have in common', () => {
  const tree = labelTree(
    [
      [3, 632, EOS],
      [209, EOS],
      [3, 632, 7, EOS],
      [3, 8, EOS],
    ],
    0,
    { max_new_tokens: 8, nodes: 16 },
  );
  assert.deepEqual([...tree.tokens], [0, 3, 632, 209, 7, 8]);
  assert.deepEqual([...tree.parents], [-1, 0, 1, 0, 2, 1]);
  assert.deepEqual([...tree.depths], [0, 1, 2, 1, 3, 2]);
  const seen = (node: number) => [...tree.tokens.keys()].filter((other) => sees(tree, node, other));
  assert.deepEqual([0, 4, 5, 3].map(seen), [[0], [0, 1, 2, 4], [0, 1, 5], [0, 3]]);
});

test('no node lies where greedy decoding does not get, or beyond the room there is', () => {
  const labels = [
    [5, 6, 7, 8, EOS],
    [9, EOS],
  ];
  assert.deepEqual([...labelTree(labels, 0, { max_new_tokens: 3, nodes: 16 }).tokens], [0, 5, 6, 9]);
  assert.deepEqual([...labelTree(labels, 0, { max_new_tokens: 1, nodes: 16 }).tokens], [0]);
  assert.deepEqual([...labelTree(labels, 0, { max_new_tokens: 8, nodes: 3 }).tokens], [0, 5, 6]);
});

test('a row is decided where it ends inside of the tree, and only there', () => {
  const tree = labelTree(
    [
      [5, 6, EOS],
      [9, EOS],
    ],
    0,
    { max_new_tokens: 8, nodes: 16 },
  ); // nodes: start, 5, 6, 9
  const follow = (choices: number[], max_new_tokens = 8) =>
    followTree(tree, Int32Array.from(choices), { eos: EOS, max_new_tokens });
  assert.deepEqual(follow([5, 6, EOS, 4]), [5, 6, EOS]);
  assert.deepEqual(follow([9, 4, 4, EOS]), [9, EOS]);
  assert.deepEqual(follow([5, EOS, 4, 4]), [5, EOS], 'a beginning of a label');
  assert.deepEqual(follow([EOS, 4, 4, 4]), [EOS], 'the empty answer');
  assert.equal(follow([4, 4, 4, 4]), null);
  assert.equal(follow([5, 6, 4, 4]), null, 'a label and more');
  assert.deepEqual(follow([5, 6, 4, 4], 3), [5, 6, 4], 'cut');
  assert.deepEqual(follow([4, 4, 4, 4], 1), [4], 'cut at the first token');
});
