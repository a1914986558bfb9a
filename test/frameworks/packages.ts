import { join } from "node:path";
import { cachedPackages } from "@porthole/testing/cached-packages";

/** The folder that has the frameworks in its node_modules: half a gigabyte. */
export function frameworkPackages(): string {
  return cachedPackages(join(import.meta.dirname, "packages"));
}
