import { UserError } from '../util/errors.js';
import type { NormalizerSpec } from './model-proto.js';

/** U+2581, which stands for a space inside pieces, as UTF-8. */
const SPACE_SYMBOL = [0xe2, 0x96, 0x81] as const;
const SPACE = 0x20;

/**
 * A rule table of SentencePiece ("precompiled charsmap"): a Darts-clone double-array trie of input byte strings, whose
 * values are offsets of NUL-terminated replacements.
 */
interface CharsMap {
  units: Uint32Array;
  replacements: Uint8Array;
}

function readCharsMap(blob: Uint8Array, file: string): CharsMap {
  if (blob.length === 0) return { units: new Uint32Array(0), replacements: blob };
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const size = blob.length > 4 ? view.getUint32(0, true) : 0;
  if (size === 0 || size % 4 !== 0 || 4 + size >= blob.length || blob.at(-1) !== 0) {
    throw new UserError(`${file}: the text normalisation table is damaged.`, {
      hint: 'Fetch the file again from where the checkpoint came from.',
    });
  }
  const units = new Uint32Array(size / 4);
  for (let i = 0; i < units.length; i++) units[i] = view.getUint32(4 + 4 * i, true);
  return { units, replacements: blob.subarray(4 + size) };
}

/** Bytes of the UTF-8 character that starts with `lead`. */
export function utf8Length(lead: number): number {
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/**
 * Text normalisation as SentencePiece does it (normalizer.cc, Normalizer::Normalize): the longest matching rule of the
 * table replaces its bytes, else one character is copied; then leading, trailing and repeated spaces go, a dummy
 * space is put in front and spaces become U+2581.
 *
 * The table is applied to the text from left to right without regard to grapheme clusters. The `tokenizers` library
 * applies it per grapheme instead, so its result may differ where a rule ends inside a cluster.
 *
 * Buffers are kept between calls: not for use from several threads, and a result is valid until the next call.
 */
export class Normalizer {
  private readonly charsMap: CharsMap;
  private readonly utf8 = new TextEncoder();
  private input = new Uint8Array(1024);
  /** The normalised text of the last call, UTF-8; only the first `length` bytes count. */
  output = new Uint8Array(1024);
  length = 0;

  /** `file` is named in the error if the rule table is damaged. */
  constructor(
    private readonly spec: NormalizerSpec,
    file: string,
  ) {
    this.charsMap = readCharsMap(spec.precompiled_charsmap, file);
  }

  /** Normalises `text` into `output`/`length`. Lone surrogates count as U+FFFD. */
  normalize(text: string): void {
    if (this.input.length < text.length * 3) this.input = new Uint8Array(text.length * 4);
    const end = this.utf8.encodeInto(text, this.input).written;
    const { input, spec } = this;
    const { replacements } = this.charsMap;
    this.length = 0;

    let at = 0;
    let started = !spec.remove_extra_whitespaces;
    let afterSpace = spec.remove_extra_whitespaces;
    if (started && end > 0 && spec.add_dummy_prefix) this.push(SPACE);
    while (at < end) {
      // Where the piece of normalised text comes from: a replacement, or the input itself.
      let from: Uint8Array = input;
      let begin = at;
      let stop: number;
      const rule = this.longestRule(at, end);
      if (rule === 0) {
        stop = Math.min(at + utf8Length(input[at]!), end);
        at = stop;
      } else {
        at += rule;
        from = replacements;
        begin = this.ruleValue;
        stop = replacements.indexOf(0, begin);
      }
      if (!started) {
        // Leading characters that are a space are skipped whole before the dummy prefix is decided on.
        if (stop - begin === 1 && from[begin] === SPACE) continue;
        started = true;
        if (spec.add_dummy_prefix) this.push(SPACE);
      }
      while (afterSpace && begin < stop && from[begin] === SPACE) begin++;
      if (begin < stop) {
        afterSpace = from[stop - 1] === SPACE && spec.remove_extra_whitespaces;
        for (let i = begin; i < stop; i++) this.push(from[i]!);
      }
    }
    if (spec.remove_extra_whitespaces) this.dropTrailingSpaces();
  }

  /** `text` normalised, as a string: what decoding its ids gives back, with U+2581 for spaces. */
  normalized(text: string): string {
    this.normalize(text);
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.output.subarray(0, this.length));
  }

  /** Set by longestRule: where its replacement begins. */
  private ruleValue = 0;

  /** Length in bytes of the longest rule that matches the input at `at`; 0 if none does. */
  private longestRule(at: number, end: number): number {
    const { input } = this;
    const { units } = this.charsMap;
    if (units.length === 0) return 0;
    // A unit of the Darts-clone array: bits 0-7 and 31 label, 8 "a key ends here", 9 wide offset, 10-30 offset.
    let length = 0;
    let unit = units[0]!;
    let node = offset(unit);
    for (let i = at; i < end; i++) {
      const byte = input[i]!;
      node ^= byte;
      unit = units[node] ?? 0;
      if ((unit & 0x800000ff) !== byte) break;
      node ^= offset(unit);
      if ((unit & 0x100) !== 0) {
        length = i + 1 - at;
        this.ruleValue = (units[node] ?? 0) & 0x7fffffff;
      }
    }
    return length;
  }

  private push(byte: number): void {
    if (this.length + 3 > this.output.length) {
      const wider = new Uint8Array(this.output.length * 2);
      wider.set(this.output);
      this.output = wider;
    }
    if (byte === SPACE && this.spec.escape_whitespaces) {
      for (const symbolByte of SPACE_SYMBOL) this.output[this.length++] = symbolByte;
    } else {
      this.output[this.length++] = byte;
    }
  }

  /** Also drops a U+2581 that was written as such, because SentencePiece tests the normalised text. */
  private dropTrailingSpaces(): void {
    const space: readonly number[] = this.spec.escape_whitespaces ? SPACE_SYMBOL : [SPACE];
    while (
      this.length >= space.length &&
      space.every((byte, i) => this.output[this.length - space.length + i] === byte)
    ) {
      this.length -= space.length;
    }
  }
}

function offset(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
