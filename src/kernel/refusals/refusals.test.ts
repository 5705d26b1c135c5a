import { describe, expect, test } from "vitest";
import type { Command } from "../commands.ts";
import { world } from "./refused.fixture.ts";
import { kernelRefusals } from "./table.fixture.ts";

describe.each(Object.entries(kernelRefusals))("refused in %s, without a trace", (_, refusals) => {
  test.each(refusals)("$code: $says", ({ ask, by, code, says, details }) => {
    const story = world();
    const command = ask(story) as Command;
    const refusal = story.refusal(command, by);
    expect(refusal).toEqual({ code, message: says, ...(details === undefined ? {} : { details }) });
  });
});
