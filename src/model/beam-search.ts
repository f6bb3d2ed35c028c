export interface BeamOptions {
  num_beams: number;
  length_penalty: number;
  early_stopping: boolean;
  max_new_tokens: number;
  eos: number;
}

export interface BeamSearch {
  /**
   * Takes one step for all rows.
   *
   * @param logProbabilities [rows · beams, V], of the token after each running beam
   * @returns the tokens to feed next and the flat index of the beam each one continues, or null when all is decided
   */
  advance(logProbabilities: Float32Array, vocabSize: number): { tokens: Int32Array; origin: Int32Array } | null;
  /** The best finished sequence of every row. */
  best(): number[][];
}

interface Hypothesis {
  tokens: number[];
  score: number;
  done: boolean;
}

interface Candidate extends Hypothesis {
  token: number;
  from: number;
}

/** Score of what must not be chosen; finite, as in the reference, so that sums with it stay ordered. */
const NEVER = -1e9;

/** Indices of the k largest values of scores[from..to), largest first, ties by lower index. */
function topK(scores: Float32Array, k: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < scores.length; i++) {
    if (best.length === k && scores[i]! <= scores[best[k - 1]!]!) continue;
    let place = best.length;
    while (place > 0 && scores[best[place - 1]!]! < scores[i]!) place--;
    best.splice(place, 0, i);
    if (best.length > k) best.pop();
  }
  return best;
}

/** The n best by `score`, earlier ones first among equals. */
function bestOf<T>(items: T[], n: number, score: (item: T) => number): T[] {
  return items
    .map((item, index) => ({ item, index, value: score(item) }))
    .sort((a, b) => b.value - a.value || a.index - b.index)
    .slice(0, n)
    .map(({ item }) => item);
}

/**
 * Beam search over `rows` inputs as transformers does it (GenerationMixin, early_stopping false or true): per step the
 * 2n best continuations are drawn, those that end are scored by length and kept if they rank among the n best, the
 * rest goes on. Scores are float32, as there, since ties decide.
 */
export function createBeams(rows: number, options: BeamOptions): BeamSearch {
  const { num_beams: n, eos } = options;
  const states = Array.from({ length: rows }, () => ({
    running: Array.from({ length: n }, (_, i): Hypothesis => ({ tokens: [], score: i === 0 ? 0 : NEVER, done: false })),
    finished: Array.from({ length: n }, (): Hypothesis => ({ tokens: [], score: NEVER, done: false })),
    improvable: true,
  }));
  let generated = 0;

  return {
    advance(logProbabilities, vocabSize) {
      const tokens = new Int32Array(rows * n);
      const origin = new Int32Array(rows * n);
      const penalty = (generated + 1) ** options.length_penalty;
      const atEnd = generated + 1 >= options.max_new_tokens;
      let everyCandidateEnds = true;
      states.forEach((state, row) => {
        const scores = new Float32Array(n * vocabSize);
        for (let beam = 0; beam < n; beam++) {
          const offset = (row * n + beam) * vocabSize;
          const before = state.running[beam]!.score;
          for (let v = 0; v < vocabSize; v++) scores[beam * vocabSize + v] = logProbabilities[offset + v]! + before;
        }
        const candidates = topK(scores, 2 * n).map((index): Candidate => {
          const from = Math.floor(index / vocabSize);
          const token = index % vocabSize;
          const done = token === eos || atEnd;
          return { tokens: [...state.running[from]!.tokens, token], score: scores[index]!, done, token, from };
        });
        if (candidates.some(({ done }) => !done)) everyCandidateEnds = false;

        const closed = (options.early_stopping && state.finished.every(({ done }) => done)) || !state.improvable;
        const ended = candidates.map(({ tokens: sequence, score, done }, rank): Hypothesis => {
          const counts = done && rank < n;
          const final = Math.fround(score / penalty) + (closed ? NEVER : 0) + (counts ? 0 : NEVER);
          return { tokens: sequence, score: Math.fround(final), done: counts };
        });
        state.finished = bestOf([...state.finished, ...ended], n, ({ score }) => score);

        const next = bestOf(candidates, n, ({ score, done }) => Math.fround(score + (done ? NEVER : 0)));
        state.running = next.map(({ tokens: sequence, score, done }) => ({
          tokens: sequence,
          score: Math.fround(score + (done ? NEVER : 0)),
          done: false,
        }));
        next.forEach(({ token, from }, beam) => {
          tokens[row * n + beam] = token;
          origin[row * n + beam] = row * n + from;
        });

        const bestPossible = Math.fround(state.running[0]!.score / (generated + 1) ** options.length_penalty);
        const worst = Math.min(...state.finished.map(({ score }) => score));
        state.improvable &&= state.finished.some(({ done }) => bestPossible > (done ? worst : NEVER));
      });
      generated += 1;
      const anyImprovable = states.some(({ improvable }) => improvable);
      const allFull = options.early_stopping && states.every(({ finished }) => finished.every(({ done }) => done));
      return anyImprovable && !allFull && !everyCandidateEnds ? { tokens, origin } : null;
    },
    best: () => states.map(({ finished }) => finished[0]!.tokens),
  };
}
