/** A sentence that says how large a workflow is. */
export function describeSize(nodes: number): string {
  return nodes === 1 ? '1 node' : `${nodes} nodes`;
}
