import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../util/errors.js';
import { hubSettings } from './settings.js';

const nowhere = join(tmpdir(), 'mpt-there-is-nothing-here');

test('the defaults of the Python library', () => {
  const settings = hubSettings({ XDG_CACHE_HOME: nowhere });
  assert.equal(settings.endpoint, 'https://huggingface.co');
  assert.equal(settings.cache, join(nowhere, 'huggingface', 'hub'));
  assert.deepEqual(
    [settings.offline, settings.symlinks, settings.token, settings.timeout_ms],
    [false, true, null, 10_000],
  );
  assert.equal(hubSettings({ HF_TOKEN: 'x' }).cache, join(homedir(), '.cache', 'huggingface', 'hub'));
});

test('where the cache is: the more special variable wins, "~" and variables in them are expanded', () => {
  const env = { HF_HOME: '~/hf', XDG_CACHE_HOME: '/xdg', HF_TOKEN: 'x', DISK: '/disk' };
  const cache = (more: Record<string, string>): string => hubSettings({ ...env, ...more }).cache;
  assert.equal(cache({}), join(homedir(), 'hf', 'hub'));
  assert.equal(cache({ HUGGINGFACE_HUB_CACHE: '/old' }), '/old');
  assert.equal(cache({ HUGGINGFACE_HUB_CACHE: '/old', HF_HUB_CACHE: '$DISK/${NONE}/new' }), '/disk/${NONE}/new');
});

test('offline: HF_HUB_OFFLINE, and TRANSFORMERS_OFFLINE where that is not set', () => {
  const offline = (env: Record<string, string>): boolean => hubSettings({ HF_TOKEN: 'x', ...env }).offline;
  for (const yes of ['1', 'true', 'ON', 'Yes']) assert.ok(offline({ HF_HUB_OFFLINE: yes }));
  for (const no of ['0', 'false', 'off', '2']) assert.ok(!offline({ HF_HUB_OFFLINE: no }));
  assert.ok(offline({ TRANSFORMERS_OFFLINE: '1' }));
  assert.ok(!offline({ TRANSFORMERS_OFFLINE: '1', HF_HUB_OFFLINE: '0' }));
  assert.ok(!offline({ HF_DATASETS_OFFLINE: '1' }));
});

test('the token: from variables, else from the file that a login writes; or none', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'mpt-token-'));
  t.after(() => rmSync(home, { recursive: true }));
  const token = (env: Record<string, string>): string | null => hubSettings({ HF_HOME: home, ...env }).token;
  assert.equal(token({}), null);
  writeFileSync(join(home, 'token'), 'hf_file\r\n');
  assert.equal(token({}), 'hf_file');
  assert.equal(token({ HUGGING_FACE_HUB_TOKEN: 'hf_old' }), 'hf_old');
  assert.equal(token({ HUGGING_FACE_HUB_TOKEN: 'hf_old', HF_TOKEN: ' hf_new\n' }), 'hf_new');
  assert.equal(token({ HF_TOKEN: '  ' }), 'hf_file', 'a blank one is none');
  assert.equal(token({ HF_TOKEN: 'hf_new', HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }), null);
  assert.equal(token({ HF_TOKEN_PATH: join(home, 'none') }), null);
  writeFileSync(join(home, 'other'), 'hf_other');
  assert.equal(token({ HF_TOKEN_PATH: join(home, 'other') }), 'hf_other');
  mkdirSync(join(home, 'folder'));
  assert.throws(() => token({ HF_TOKEN_PATH: join(home, 'folder') }), UserError);
});

test('values that cannot be used are refused with what would be right; a token is never shown', () => {
  for (const endpoint of ['huggingface.co', 'ftp://x.example', 'https://user:pw@x.example', 'https://x.example/?a=b']) {
    assert.throws(() => hubSettings({ HF_ENDPOINT: endpoint }), /HF_ENDPOINT is/);
  }
  assert.equal(
    hubSettings({ HF_ENDPOINT: 'https://mirror.example/hf/', HF_TOKEN: 'x' }).endpoint,
    'https://mirror.example/hf',
  );
  for (const timeout of ['ten', '-1', '1e99', '1.5']) {
    assert.throws(() => hubSettings({ HF_HUB_DOWNLOAD_TIMEOUT: timeout, HF_TOKEN: 'x' }), /HF_HUB_DOWNLOAD_TIMEOUT/);
  }
  assert.equal(hubSettings({ HF_HUB_DOWNLOAD_TIMEOUT: '30', HF_TOKEN: 'x' }).timeout_ms, 30_000);
  assert.equal(hubSettings({ HF_HUB_DOWNLOAD_TIMEOUT: '0', HF_TOKEN: 'x' }).timeout_ms, 10_000);
  assert.throws(
    () => hubSettings({ HF_TOKEN: 'hf_secret with blanks' }),
    (error) => {
      assert.ok(error instanceof UserError);
      assert.doesNotMatch(`${error.message} ${error.hint}`, /secret/);
      return true;
    },
  );
});
