/** A module with an agent that has no code. */
import { defineAgent } from "../src/index.ts";

export default defineAgent({ name: "inside", vote: () => undefined });
