import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../util/errors.js';
import { packageRoot } from '../util/paths.js';
import { readModelProto } from './model-proto.js';
import { Normalizer } from './normalizer.js';
import { loadTokenizer, type Tokenizer } from './tokenizer.js';

// Expected ids and texts come from Python's sentencepiece and transformers: test/fixtures/tokenizer/make.py.
const FIXTURES = join(packageRoot(), 'test', 'fixtures', 'tokenizer');
const SMALL = join(FIXTURES, 'small');
const scratch = mkdtempSync(join(tmpdir(), 'mpt-tokenizer-'));
after(() => rmSync(scratch, { recursive: true }));

interface Expected {
  encode: { text: string; ids: number[]; decoded?: string }[];
  decode: { ids: number[]; skipped: string; written: string }[];
}

function checkAgainst(tokenizer: Tokenizer, file: string): void {
  const expected = JSON.parse(readFileSync(join(FIXTURES, file), 'utf8')) as Expected;
  assert.ok(expected.encode.length > 200);
  for (const { text, ids, decoded } of expected.encode) {
    assert.deepEqual(tokenizer.encode(text), ids, `ids of ${JSON.stringify(text)}`);
    if (decoded !== undefined) assert.equal(tokenizer.decode(ids), decoded);
  }
  for (const { ids, skipped, written } of expected.decode) {
    assert.equal(tokenizer.decode(ids), skipped, `text of [${ids.join()}]`);
    assert.equal(tokenizer.decode(ids, { skip_special: false }), written, `text of [${ids.join()}] with special ids`);
  }
}

/** A model folder with the small vocabulary's tokenizer.json only, its rule table put back in. */
function jsonFolder(edit: (json: { model: Record<string, unknown> }) => void = () => undefined): string {
  const file = join(SMALL, 'spiece.model');
  const charsMap = readModelProto(readFileSync(file), file).normalizer.precompiled_charsmap;
  const json = JSON.parse(readFileSync(join(SMALL, 'tokenizer.json'), 'utf8')) as {
    normalizer: { precompiled_charsmap: string };
    model: Record<string, unknown>;
  };
  json.normalizer.precompiled_charsmap = Buffer.from(charsMap).toString('base64');
  edit(json);
  const folder = mkdtempSync(join(scratch, 'json-'));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(json));
  return folder;
}

function folderWith(name: string, content: string | Uint8Array): string {
  const folder = mkdtempSync(join(scratch, 'bad-'));
  writeFileSync(join(folder, name), content);
  return folder;
}

function rejects(folder: string, ...patterns: RegExp[]): void {
  assert.throws(
    () => loadTokenizer(folder),
    (error: unknown) => {
      assert.ok(error instanceof UserError, String(error));
      assert.ok(error.message.includes(folder), `names the file: ${error.message}`);
      assert.ok(error.hint !== undefined);
      for (const pattern of patterns) assert.match(error.message, pattern);
      return true;
    },
  );
}

test('ids and texts are those of the Python references, from spiece.model', () => {
  const tokenizer = loadTokenizer(SMALL);
  assert.equal(tokenizer.vocab_size, 800);
  checkAgainst(tokenizer, 'small-expected.json');
});

test('ids and texts are those of the Python references, from tokenizer.json', () => {
  const tokenizer = loadTokenizer(jsonFolder());
  assert.equal(tokenizer.vocab_size, 800);
  checkAgainst(tokenizer, 'small-expected.json');
});

const t5Folder = join(process.env['MPT_TEST_DATA'] ?? '', 't5-base-tokenizer');
const skip = process.env['MPT_TEST_DATA'] && existsSync(t5Folder) ? false : 'MPT_TEST_DATA has no t5-base-tokenizer';
test("T5's own vocabulary gives the ids of the Python references", { skip }, () => {
  const tokenizer = loadTokenizer(t5Folder);
  assert.equal(tokenizer.vocab_size, 32100);
  checkAgainst(tokenizer, 't5-expected.json');

  const folder = join(scratch, 't5-json');
  mkdirSync(folder);
  copyFileSync(join(t5Folder, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  checkAgainst(loadTokenizer(folder), 't5-expected.json');
});

test('the demo vocabulary has 4096 ids and knows all printable ASCII', () => {
  const tokenizer = loadTokenizer(join(packageRoot(), 'models', 'wordnet-t5'));
  assert.equal(tokenizer.vocab_size, 4096);
  const ascii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
  assert.ok(!tokenizer.encode(ascii).includes(tokenizer.unk_id));
  for (const label of ['yes', 'no', 'noun', 'verb', 'true', 'false', 'stative']) {
    assert.equal(tokenizer.encode(label).length, 1, label);
  }
});

test('sentinels count down from the last id', () => {
  const { encode } = loadTokenizer(SMALL);
  assert.deepEqual(encode('<extra_id_0><extra_id_1> <extra_id_99>'), [799, 798, 700]);
});

test('lone surrogates count as U+FFFD', () => {
  const { encode } = loadTokenizer(SMALL);
  assert.deepEqual(encode('the\ud800act'), encode('the\ufffdact'));
  assert.deepEqual(encode('\udc00'), encode('\ufffd'));
});

test('very long text keeps its ids, and buffers grow without trace', () => {
  const { encode, decode } = loadTokenizer(SMALL);
  const short = encode('the act of changing location');
  const words = 'the act of changing location '.repeat(40_000);
  assert.equal(decode(encode(words)), words.trimEnd());
  assert.equal(encode('x'.repeat(100_000)).length > 1000, true);
  assert.equal(encode('\ufdfa'.repeat(10_000)).length > 10_000, true);
  assert.deepEqual(encode('the act of changing location'), short);
});

test('decoding gives back the normalised text, where all its pieces are known', () => {
  const file = join(SMALL, 'spiece.model');
  const { encode, decode, unk_id } = loadTokenizer(SMALL);
  const normalizer = new Normalizer(readModelProto(readFileSync(file), file).normalizer, file);
  const known = fc.constantFrom(
    ...'abcdefghijklmnopqrstuvwxyz \t\u00a0,.éüßΕλКи日本한हภ😀½€′ﬁ',
    '  ',
    '\u0301',
    '″',
    'Å',
    'ｇ',
  );
  fc.assert(
    fc.property(fc.string({ unit: known, maxLength: 60 }), (text) => {
      const ids = encode(text);
      fc.pre(!ids.includes(unk_id));
      const normalized = normalizer.normalized(text).replaceAll('\u2581', ' ');
      assert.equal(decode(ids), normalized.replace(/^ +/, ''));
    }),
  );
});

test('any string gives ids inside the vocabulary, and decoding them never fails', () => {
  const { encode, decode, vocab_size } = loadTokenizer(SMALL);
  const codeUnits = fc.array(fc.nat({ max: 0xffff })).map((units) => String.fromCharCode(...units));
  fc.assert(
    fc.property(fc.oneof(codeUnits, fc.string({ unit: 'binary' })), (text) => {
      const ids = encode(text);
      assert.ok(ids.every((id) => Number.isInteger(id) && id > 1 && id < vocab_size));
      assert.equal(typeof decode(ids), 'string');
    }),
  );
});

test('a folder without a tokenizer, or no folder, is named', () => {
  rejects(mkdtempSync(join(scratch, 'empty-')), /no tokenizer/);
  rejects(join(scratch, 'nowhere'), /no tokenizer/);
  const folder = mkdtempSync(join(scratch, 'folder-'));
  mkdirSync(join(folder, 'spiece.model'));
  rejects(folder, /cannot be read \(EISDIR\)/);
});

test('a truncated spiece.model is refused, wherever it was cut', () => {
  const bytes = readFileSync(join(SMALL, 'spiece.model'));
  for (const size of [0, 1, 2, 5, 14, 1000, 9000, 12_000, 100_000, bytes.length - 20, bytes.length - 1]) {
    rejects(folderWith('spiece.model', bytes.subarray(0, size)), /not a usable SentencePiece model/);
  }
});

test('damaged bytes are refused or read, but never crash or hang', () => {
  const bytes = readFileSync(join(SMALL, 'spiece.model'));
  const file = 'spiece.model';
  const folder = mkdtempSync(join(scratch, 'damaged-'));
  const damage = fc.record({ at: fc.nat({ max: bytes.length - 1 }), value: fc.nat({ max: 255 }) });
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 20 }), (changes) => {
      const damaged = Buffer.from(bytes);
      for (const { at, value } of changes) damaged[at] = value;
      writeFileSync(join(folder, file), damaged);
      try {
        loadTokenizer(folder).encode('The act of changing e\u0301 location, ½ \ufdfa.');
      } catch (error) {
        assert.ok(error instanceof UserError, String(error));
      }
    }),
    { numRuns: 50 },
  );
});

test('other files under these names are refused', () => {
  rejects(
    folderWith('spiece.model', 'version https://git-lfs.github.com/spec/v1\n'),
    /not a usable SentencePiece model/,
  );
  rejects(folderWith('tokenizer.json', '{"model": {"type": "Uni'), /not valid JSON/);
  rejects(folderWith('tokenizer.json', '{}'), /model/);
  rejects(folderWith('tokenizer.json', '{"model": {"type": "BPE", "vocab": {}}}'), /BPE, not Unigram/);
  rejects(folderWith('tokenizer.json', '{"model": {"type": "Unigram", "vocab": [["a"]]}}'), /model\.vocab/);
});

test('a vocabulary with other special ids is refused', () => {
  const vocab = (edit: (pieces: [string, number][]) => void): string =>
    jsonFolder(({ model }) => edit(model['vocab'] as [string, number][]));
  rejects(
    vocab((pieces) => pieces.reverse()),
    /id 0 is .*not <pad>/,
  );
  rejects(
    vocab((pieces) => pieces.push(pieces[10]!)),
    /twice/,
  );
  rejects(
    vocab((pieces) => pieces.splice(3)),
    /no ordinary pieces/,
  );
});
