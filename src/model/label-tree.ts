/**
 * The tokens that lead to a few known answers, as a tree: node 0 stands behind the decoder's start token, every other
 * node behind one more token of some answer. One decoder pass over all nodes gives greedy decoding's choice at each of
 * them, so a row that answers as expected is decoded at once.
 */
export interface LabelTree {
  /** [N] token fed at each node. */
  readonly tokens: Int32Array;
  /** [N] node that each stands behind; -1 at the root. Parents come before their children. */
  readonly parents: Int32Array;
  /** [N] tokens decoded before the node's own choice. */
  readonly depths: Int32Array;
  /** The node behind `node` and one more token; undefined where no answer goes on so. */
  child(node: number, token: number): number | undefined;
}

/**
 * @param answers token ids, each ending in EOS
 * @param start the decoder's start token
 * @param limits no node deeper than `max_new_tokens` - 1 (greedy decoding stops there), and no more than `nodes`:
 *   what is left out is only not foreseen
 */
export function labelTree(
  answers: readonly (readonly number[])[],
  start: number,
  limits: { max_new_tokens: number; nodes: number },
): LabelTree {
  const tokens = [start];
  const parents = [-1];
  const depths = [0];
  const children = [new Map<number, number>()];
  for (const answer of answers) {
    let node = 0;
    // Nothing follows the last token, EOS.
    for (const token of answer.slice(0, -1)) {
      let next = children[node]!.get(token);
      if (next === undefined) {
        if (tokens.length >= limits.nodes || depths[node]! + 1 >= limits.max_new_tokens) break;
        next = tokens.push(token) - 1;
        parents.push(node);
        depths.push(depths[node]! + 1);
        children.push(new Map<number, number>());
        children[node]!.set(token, next);
      }
      node = next;
    }
  }
  return {
    tokens: Int32Array.from(tokens),
    parents: Int32Array.from(parents),
    depths: Int32Array.from(depths),
    child: (node, token) => children[node]!.get(token),
  };
}

/** Whether `node` sees `other` in self-attention: itself and what it stands behind. */
export function sees({ parents }: LabelTree, node: number, other: number): boolean {
  let at = node;
  while (at > other) at = parents[at]!;
  return at === other;
}

/**
 * Follows one row's choices through the tree.
 *
 * @param choices [N] the most likely next token at each node
 * @returns what greedy decoding gives, or null where it leaves the tree before it ends
 */
export function followTree(
  tree: LabelTree,
  choices: Int32Array,
  { eos, max_new_tokens }: { eos: number; max_new_tokens: number },
): number[] | null {
  const output: number[] = [];
  let node: number | undefined = 0;
  while (node !== undefined) {
    const token: number = choices[node]!;
    output.push(token);
    if (token === eos || output.length === max_new_tokens) return output;
    node = tree.child(node, token);
  }
  return null;
}
