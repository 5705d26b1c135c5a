import { describe, expect, test } from "vitest";
import { isSafeguardsError } from "../../errors.ts";
import { Systems } from "./refused.fixture.ts";
import { coordinationRefusals } from "./table.fixture.ts";

describe.each(Object.entries(coordinationRefusals))("refused in %s, without a trace", (_, refusals) => {
  test.each(refusals)("$code: $says", async ({ call, code, says, details }) => {
    const systems = new Systems();
    const refused = call(systems);
    const before = systems.seen();
    const error = await Promise.resolve()
      .then(refused)
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    if (!isSafeguardsError(error)) throw new Error("it was not refused", { cause: error });
    expect([error.code, error.message, error.details]).toEqual([code, says, details]);
    expect(systems.seen()).toEqual(before);
  });
});
