import { expect, it } from "vitest";
import { runtimeLimits } from "./limits.ts";
import { Meters } from "./stats.ts";

it("tells apart agents and classes, as many as there may be: those that were busy last", () => {
  const meters = new Meters();
  for (let n = 0; n < runtimeLimits.meteredParts; n++) meters.partsOf(`a${n}`, "anything")[0]?.run.record(n);
  meters.partsOf("a0", "anything");
  meters.partsOf("__proto__", "anything");
  const { agents, classes } = meters.stats(0, {} as never, (name) => `${name.length}`);
  expect(Object.keys(agents)).toHaveLength(runtimeLimits.meteredParts);
  expect(agents.a0).toMatchObject({ runMs: { count: 1 }, cost: "2" });
  expect(agents.a1).toBeUndefined();
  expect(Object.keys(agents)).toContain("__proto__");
  expect(Object.keys(classes)).toEqual(["anything"]);
});
