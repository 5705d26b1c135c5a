/** Every place that refuses is shown to: by a row of a table that tells what is said there. */
import { expect, test } from "vitest";
import { coordinationRefusals } from "../src/coordination/refusals/table.fixture.ts";
import { kernelRefusals } from "../src/kernel/refusals/table.fixture.ts";
import { edgeRefusals } from "./refusals/edge.fixture.ts";
import { type Site, sitesOf } from "./refusals/sites.ts";
import { isTest, listFiles, parseSource, readText } from "./tidy/source.ts";

interface Told {
  readonly says: string;
}

/** What would be said if another part were broken. */
const NEVER: ReadonlySet<string> = new Set(["^the key .* belongs to a call without tasks$"]);

/** Places for which the table of their file has too few rows: one for each, also of those that say the same. */
function unshown(sites: readonly Site[], told: readonly Told[]): readonly string[] {
  return sites.flatMap(({ path, line, says }) => {
    const alike = sites.filter((other) => other.says.source === says.source).length;
    const shown = told.filter((row) => says.test(row.says)).length;
    return shown < alike && !NEVER.has(says.source)
      ? [`${path}:${line}: says ${says.source}, which no row of its table shows`]
      : [];
  });
}

/** What refuses nothing by itself: what is said there depends on who asks; and what is said of a broken invariant, and of a late vote. */
const OTHERS: ReadonlySet<string> = new Set([
  "src/coordination/structures/arguments.ts",
  "src/coordination/structures/money.ts",
  "src/coordination/structures/priority-inheritance.ts",
  "src/coordination/decisions/poll.ts",
]);

const tables: readonly (readonly [string, RegExp, Readonly<Record<string, readonly Told[]>>])[] = [
  ["the kernel", /^src\/kernel\//, kernelRefusals],
  ["the systems", /^src\/coordination\//, coordinationRefusals],
  ["definitions and options", new RegExp(`^(${Object.keys(edgeRefusals).join("|")})$`), edgeRefusals],
];
test.each(tables)("whatever %s refuse, a test shows", (_, places, table) => {
  const paths = listFiles().filter((path) => places.test(path) && path.endsWith(".ts") && !isTest(path));
  const sites = new Map(paths.map((path) => [path, sitesOf(parseSource(path, readText(path)))]));
  const refusing = paths.filter((path) => sites.get(path)?.length !== 0 && !OTHERS.has(path));
  expect(refusing.flatMap((path) => unshown(sites.get(path) ?? [], table[path] ?? []))).toEqual([]);
  expect(refusing.sort()).toEqual(Object.keys(table).sort());
});

test("a place that no row shows is found, and so is a second that says the same", () => {
  const source = parseSource(
    "src/x.ts",
    `throw refused("A", \`task \${id} is \${on ? "on" : "off"}\`); checkId(id, "x"); checkId(other, "x"); invalid("y", y, "z");`,
  );
  const sites = sitesOf(source);
  expect(sites.map(({ says }) => says.source)).toHaveLength(5);
  const rows = [
    "task 1 is on",
    "task 1 is off",
    "x is 7; it must be …",
    "x is 8; it must be …",
    "y is 7; it must be z",
  ];
  const told = rows.map((says) => ({ says }));
  expect(unshown(sites, told)).toEqual([]);
  for (const row of told)
    expect(
      unshown(
        sites,
        told.filter((other) => other !== row),
      ),
    ).not.toEqual([]);
});
