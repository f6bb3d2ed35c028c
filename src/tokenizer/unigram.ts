import { buildByteTrie, type ByteTrie } from './byte-trie.js';
import { PIECE_TYPE, type Piece } from './model-proto.js';
import { utf8Length } from './normalizer.js';

/** An unknown character costs this much more than the least likely piece (unigram_model.cc, kUnkPenalty). */
const UNKNOWN_PENALTY = 10;

/**
 * The most probable segmentation under a Unigram model, found as SentencePiece does (unigram_model.cc,
 * EncodeOptimized): all sums are rounded to float32 and the first of equals stays, so that ties fall the same way.
 * The whole text is one lattice: splitting it into words first would round differently.
 *
 * Buffers are kept between calls: not for use from several threads.
 */
export class Unigram {
  private readonly trie: ByteTrie;
  private readonly scores: Float32Array;
  private readonly unknownScore: number;
  private bestScore = new Float32Array(1024);
  private startsAt = new Int32Array(1024);
  private bestId = new Int32Array(1024);

  constructor(
    pieces: readonly Piece[],
    private readonly unknownId: number,
  ) {
    const utf8 = new TextEncoder();
    const usable = pieces.map((_, id) => id).filter((id) => pieces[id]!.type === PIECE_TYPE.normal);
    this.trie = buildByteTrie(
      usable.map((id) => utf8.encode(pieces[id]!.text)),
      usable,
    );
    this.scores = Float32Array.from(pieces, (piece) => piece.score);
    const lowest = usable.reduce((low, id) => Math.min(low, this.scores[id]!), Infinity);
    this.unknownScore = Math.fround(lowest - UNKNOWN_PENALTY);
  }

  /**
   * Appends to `ids` the pieces of `bytes[0, size)`, normalised UTF-8. Consecutive unknown characters become one
   * unknown id.
   */
  encode(bytes: Uint8Array, size: number, ids: number[]): void {
    if (size === 0) return;
    this.fillLattice(bytes, size);
    const first = ids.length;
    for (let end = size; end > 0; end = this.startsAt[end]!) {
      const id = this.bestId[end]!;
      if (id !== this.unknownId || ids.length === first || ids[ids.length - 1] !== id) ids.push(id);
    }
    for (let i = first, j = ids.length - 1; i < j; i++, j--) [ids[i], ids[j]] = [ids[j]!, ids[i]!];
  }

  /** Forward pass: for each position, the score of the best way to reach it, its last piece and where that starts. */
  private fillLattice(bytes: Uint8Array, size: number): void {
    if (this.bestScore.length <= size) {
      const length = Math.max(size + 1, this.bestScore.length * 2);
      this.bestScore = new Float32Array(length);
      this.startsAt = new Int32Array(length);
      this.bestId = new Int32Array(length);
    }
    const { bestScore, startsAt, bestId, scores } = this;
    const { base, check, value } = this.trie;
    startsAt.fill(-1, 0, size + 1);
    bestScore[0] = 0;
    let start = 0;
    while (start < size) {
      const reached = bestScore[start]!;
      const character = Math.min(utf8Length(bytes[start]!), size - start);
      let wholeCharacter = false;
      let node = 0;
      let at = start;
      while (at < size) {
        const child = base[node]! + bytes[at]!;
        if (check[child] !== node) break;
        node = child;
        at++;
        const id = value[node]!;
        if (id < 0) continue;
        const candidate = Math.fround(scores[id]! + reached);
        if (startsAt[at]! < 0 || candidate > bestScore[at]!) {
          bestScore[at] = candidate;
          startsAt[at] = start;
          bestId[at] = id;
        }
        if (at - start === character) wholeCharacter = true;
      }
      if (!wholeCharacter) {
        const end = start + character;
        const candidate = Math.fround(this.unknownScore + reached);
        if (startsAt[end]! < 0 || candidate > bestScore[end]!) {
          bestScore[end] = candidate;
          startsAt[end] = start;
          bestId[end] = this.unknownId;
        }
      }
      start += character;
    }
  }
}
