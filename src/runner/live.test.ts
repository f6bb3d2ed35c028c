import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { baseFolder, graphOf } from './fixtures.js';
import { showLive } from './live.js';

const folder = baseFolder();

/** What goes to stderr from here to the end of the test. */
function caught(t: TestContext): () => string {
  let text = '';
  t.mock.method(process.stderr, 'write', (part: string) => {
    text += part;
    return true;
  });
  return () => text;
}

test('what was done before and is only looked at again does not count', (t) => {
  const [first, second, third] = graphOf(
    folder,
    'steps: [{ stage: teach, config: teach.yaml, tasks: [cb, wic, sst2] }]',
  );
  const text = caught(t);
  const live = showLive({
    open: [first!.id, third!.id],
    progress: 'none',
    commandOf: ({ id }) => `mpt ${id}`,
    outcomeOf: () => '',
    logOf: () => 'node.log',
    lastLines: () => ['error: it broke'],
  });
  for (const node of [first!, second!]) {
    live.onEvent({ kind: 'started', node, slot: 0 });
    live.onEvent({ kind: 'finished', node, seconds: 1 });
  }
  live.onEvent({ kind: 'failed', node: third!, seconds: 2, end: { code: 1, signal: null } });
  live.stop();
  assert.match(text(), /✓ teach\/pt\/cb: 1\.0 s {2}1 of 2\n/);
  assert.match(text(), /✓ teach\/pt\/wic: 1\.0 s\n/);
  assert.match(text(), /✗ teach\/pt\/sst2: exit 1 after 2\.0 s {2}2 of 2\n {4}error: it broke\n {4}\(node\.log\)\n/);
});
