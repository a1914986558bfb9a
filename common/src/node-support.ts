/** A warning for a Node that still works and gets no security fixes any more; undefined for the others. */
export function nodeVersionWarning(version: string = process.versions.node): string | undefined {
  const major = Number(version.split(".")[0]);
  return major < 22 ? `Node ${version} gets no security fixes any more; use Node 22 or later` : undefined;
}
