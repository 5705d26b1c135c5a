import { describe, expect, it } from "vitest";
import { opened, rejection } from "./coordinator.fixture.ts";
import { edgeRefusals } from "./refusals/edge.fixture.ts";

describe.each(Object.entries(edgeRefusals))("refused in %s", (_, refusals) => {
  it.each(refusals)("$says", async ({ call, says, code = "INVALID_ARGUMENT" }) => {
    const coordinator = await opened();
    const error = await rejection(Promise.resolve().then(() => call(coordinator)));
    expect(error).toMatchObject({ code, message: says });
  });
});
