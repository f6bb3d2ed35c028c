/** What of a node is known to the schedule. */
export interface Scheduled {
  id: string;
  needs: readonly string[];
}

/**
 * Which nodes may run: a plain bookkeeper of a graph, without processes or clocks. A node is waiting, running, done,
 * failed or blocked; those that need a failed one, directly or not, are blocked and never run.
 */
export class Schedule<N extends Scheduled> {
  private readonly waiting: Map<string, N>;
  private readonly running = new Set<string>();
  private readonly done = new Set<string>();

  /** @param nodes needs that are no nodes count as done; among those that may run, the order here decides */
  constructor(nodes: readonly N[]) {
    this.waiting = new Map(nodes.map((node) => [node.id, node]));
  }

  /** The next node that may run, which from now on is running. */
  next(): N | undefined {
    for (const node of this.waiting.values()) {
      if (node.needs.some((id) => this.waiting.has(id) || this.running.has(id))) continue;
      this.waiting.delete(node.id);
      this.running.add(node.id);
      return node;
    }
    return undefined;
  }

  succeed(id: string): void {
    this.running.delete(id);
    this.done.add(id);
  }

  /** @returns the nodes that can no longer run */
  fail(id: string): N[] {
    this.running.delete(id);
    const lost = new Set([id]);
    const blocked: N[] = [];
    // Needs come first in no particular order: go round until nothing more falls.
    for (let found = true; found;) {
      found = false;
      for (const node of this.waiting.values()) {
        if (!node.needs.some((need) => lost.has(need))) continue;
        this.waiting.delete(node.id);
        lost.add(node.id);
        blocked.push(node);
        found = true;
      }
    }
    return blocked;
  }

  /** Neither running nor able to run any more. */
  get idle(): boolean {
    return this.running.size === 0;
  }

  get left(): number {
    return this.waiting.size + this.running.size;
  }
}
