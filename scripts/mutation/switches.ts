/** What the runner asks of the tests' side, and what that tells when a file of tests has ended. */

/** Which mutant is on: none, none while it is counted who reaches what, or one. */
export type Switches =
  | { readonly kind: "off" }
  | { readonly kind: "coverage" }
  | {
      readonly kind: "mutant";
      readonly id: string;
      /** On already while modules load: it is in code that runs only then. */
      readonly whileLoading: boolean;
      readonly hitLimit: number | undefined;
    };

/** How often each mutant was reached, by its id. */
export type Hits = Record<string, number>;

export interface Coverage {
  readonly static: Hits;
  /** By the test's id. */
  readonly perTest: Record<string, Hits>;
}

declare module "vitest" {
  interface ProvidedContext {
    switches: Switches;
  }
  interface TaskMeta {
    /** Of a test: what it reached. */
    reached?: Hits;
    /** Of a file: what its modules reached as they were loaded, and those of the files before it. */
    reachedByLoading?: Hits;
    /** Of a file: how often its tests reached the mutant that is on. */
    hits?: number;
  }
}
