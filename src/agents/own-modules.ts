/**
 * Lets a module of a user's, a crew or an isolated agent, import `safeguards` from wherever it lies: it always gets the very
 * modules that run it, so that an agent defined there is one here, also where the package is not installed beside it or in
 * another version.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

const PACKAGE = "safeguards";
const root = new URL("../../", import.meta.url);
/** Not compiled: modules are the sources. */
const isSource = import.meta.url.endsWith(".ts");

let registered = false;

/** From now on, in this process. */
export function shareOwnModules(): void {
  if (registered) return;
  registered = true;
  const entries = entriesOfPackage();
  registerHooks({
    resolve(specifier, context, next) {
      const own = entries.get(specifier);
      return own === undefined ? next(specifier, context) : { url: own, shortCircuit: true };
    },
  });
}

/** The package's own entries, by what is imported: `safeguards/testing` and the like. */
function entriesOfPackage(): ReadonlyMap<string, string> {
  const manifest: { exports: Record<string, { default: string }> } = JSON.parse(
    readFileSync(new URL("package.json", root), "utf8"),
  );
  return new Map(
    Object.entries(manifest.exports).map(([subpath, { default: path }]) => {
      const file = isSource ? path.replace("./dist/", "./src/").replace(/\.js$/, ".ts") : path;
      return [PACKAGE + subpath.slice(1), new URL(file, root).href];
    }),
  );
}
