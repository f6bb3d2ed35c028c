import { z } from 'zod';
import { UserError } from '../util/errors.js';
import { PIECE_TYPE, type NormalizerSpec, type Piece, type UnigramModel } from './model-proto.js';

const HINT = 'tokenizer.json must be the one of a T5 checkpoint: a Unigram model with Precompiled and Metaspace.';
const SENTINEL = /^<extra_id_\d+>$/;

/** The parts of the Hub's tokenizer.json that are used; a component is nested in `Sequence` components at will. */
const component = z.looseObject({
  type: z.string(),
  normalizers: z.array(z.unknown()).optional(),
  pretokenizers: z.array(z.unknown()).optional(),
  precompiled_charsmap: z.string().optional(),
  replacement: z.string().optional(),
  add_prefix_space: z.boolean().optional(),
  prepend_scheme: z.string().optional(),
});
type Component = z.infer<typeof component>;

const schema = z.looseObject({
  normalizer: component.nullish(),
  pre_tokenizer: component.nullish(),
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string(), special: z.boolean() })).default([]),
  model: z.looseObject({
    type: z.string(),
    unk_id: z.int().nullish(),
    byte_fallback: z.boolean().nullish(),
    vocab: z.unknown(),
  }),
});
const vocabSchema = z.array(z.tuple([z.string().min(1), z.number()]));

/**
 * Reads the text of a `tokenizer.json` with a Unigram model into the same vocabulary that `spiece.model` gives: the
 * scores are rounded to float32, as they were before they were written out, and the sentinels at the end, which that
 * file lists as pieces, are left out. `file` is named in errors.
 * @throws UserError when it is not valid JSON or not such a tokenizer.
 */
export function readTokenizerJson(text: string, file: string): UnigramModel {
  const fail = (why: string): never => {
    throw new UserError(`${file}: not a usable tokenizer: ${why}.`, { hint: HINT });
  };
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    return fail(`it is not valid JSON (${(error as Error).message}); truncated or damaged download?`);
  }
  const parsed = schema.safeParse(data);
  if (!parsed.success) return fail(describe(parsed.error));
  const { model, added_tokens, normalizer, pre_tokenizer } = parsed.data;
  if (model.type !== 'Unigram') fail(`its model is ${model.type}, not Unigram`);
  if (model.byte_fallback === true) fail('it uses byte_fallback, which no T5 vocabulary does');
  const vocab = vocabSchema.safeParse(model.vocab);
  if (!vocab.success) return fail(`model.vocab: ${describe(vocab.error)}`);

  const special = new Set(added_tokens.filter((token) => token.special).map((token) => token.content));
  const pieces = vocab.data.map(([piece, score], id): Piece => {
    const type = id === model.unk_id ? PIECE_TYPE.unknown : special.has(piece) ? PIECE_TYPE.control : PIECE_TYPE.normal;
    return { text: piece, score: Math.fround(score), type };
  });
  while (pieces.length > 0 && SENTINEL.test(pieces.at(-1)!.text)) pieces.pop();
  return { pieces, normalizer: normalizerSpec(flatten(normalizer), flatten(pre_tokenizer), fail) };
}

function describe(error: z.ZodError): string {
  const issue = error.issues[0]!;
  return `${issue.path.join('.')}: ${issue.message}`;
}

/** All components of a normaliser or pre-tokenizer, with `Sequence` unpacked. */
function flatten(root: Component | null | undefined): Component[] {
  if (root === null || root === undefined) return [];
  const inner = root.normalizers ?? root.pretokenizers;
  if (root.type !== 'Sequence' || inner === undefined) return [root];
  return inner.flatMap((part) => {
    const parsed = component.safeParse(part);
    return parsed.success ? flatten(parsed.data) : [];
  });
}

/**
 * SentencePiece's settings from the components that the converters wrote for them: Precompiled is the rule table, and
 * splitting at whitespace (or stripping and replacing runs of spaces) together with Metaspace is the removal of extra
 * spaces and the dummy prefix.
 */
function normalizerSpec(
  normalizers: Component[],
  splitters: Component[],
  fail: (why: string) => never,
): NormalizerSpec {
  const other = normalizers.find(({ type }) => !['Precompiled', 'Replace', 'Strip', 'Nmt', 'NFKC'].includes(type));
  if (other !== undefined) fail(`its normalizer ${other.type} is not one of T5's`);
  const precompiled = normalizers.find(({ type }) => type === 'Precompiled');
  if (precompiled?.precompiled_charsmap === undefined) return fail('it has no Precompiled normalizer');
  const metaspace = splitters.find(({ type }) => type === 'Metaspace');
  if (metaspace === undefined) return fail('it has no Metaspace pre-tokenizer');
  if ((metaspace.replacement ?? '\u2581') !== '\u2581') fail('its Metaspace replacement is not U+2581');
  return {
    name: 'precompiled',
    precompiled_charsmap: Buffer.from(precompiled.precompiled_charsmap, 'base64'),
    add_dummy_prefix: metaspace.prepend_scheme !== 'never' && metaspace.add_prefix_space !== false,
    remove_extra_whitespaces: true,
    escape_whitespaces: true,
  };
}
