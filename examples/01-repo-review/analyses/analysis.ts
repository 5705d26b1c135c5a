import type { Finding } from "../findings.ts";
import type { SourceFile, Tree } from "../tree.ts";

/** What one specialist can do: say which files concern it, and what is wrong with one of them. */
export interface Analysis {
  reads(path: string): boolean;
  /** Never throws for what a file contains: whatever stands in it is at most a finding. */
  analyse(file: SourceFile, tree: Tree): Finding[] | Promise<Finding[]>;
}
