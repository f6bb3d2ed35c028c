/** Two clusters put together. Leaves are numbered 0 … n-1, the cluster made by merge i is n + i. */
export interface Merge {
  /** The smaller number of the two. */
  left: number;
  right: number;
  /** Mean distance between the members of the two. */
  height: number;
}

interface Cluster {
  id: number;
  leaves: number[];
}

function meanDistance(a: Cluster, b: Cluster, distances: readonly (readonly number[])[]): number {
  const sum = a.leaves.reduce((total, i) => total + b.leaves.reduce((part, j) => part + distances[i]![j]!, 0), 0);
  return sum / (a.leaves.length * b.leaves.length);
}

/**
 * Average-linkage hierarchical clustering (UPGMA): the two clusters with the smallest mean distance between their
 * members are put together until one is left. Heights, and the order of the leaves in the tree, are those of SciPy's
 * `linkage(…, 'average')` and `leaves_list` where no two distances are equal.
 *
 * @param distances [n][n], symmetric
 * @returns the n - 1 merges from low to high, and the leaves so that each cluster stands together
 */
export function averageLinkage(distances: readonly (readonly number[])[]): { merges: Merge[]; order: number[] } {
  let clusters: Cluster[] = distances.map((_, id) => ({ id, leaves: [id] }));
  const merges: Merge[] = [];
  while (clusters.length > 1) {
    let best: { a: Cluster; b: Cluster; height: number } | undefined;
    for (const [i, a] of clusters.entries()) {
      for (const b of clusters.slice(i + 1)) {
        const height = meanDistance(a, b, distances);
        if (best === undefined || height < best.height) best = { a, b, height };
      }
    }
    const { a, b, height } = best!;
    const [left, right] = a.id < b.id ? [a, b] : [b, a];
    merges.push({ left: left.id, right: right.id, height });
    const joined: Cluster = { id: distances.length + merges.length - 1, leaves: [...left.leaves, ...right.leaves] };
    clusters = [...clusters.filter((cluster) => cluster !== a && cluster !== b), joined];
  }
  return { merges, order: clusters[0]?.leaves ?? [] };
}
