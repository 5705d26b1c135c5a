/**
 * A crew that releases a program, and asks before it does what cannot be undone: `safeguards run crew.ts`.
 *
 * The notes are written by an agent and count when two of three editors approve of them; none of these wrote them. The release
 * itself needs a person: from another terminal, `safeguards approve release` or `safeguards reject release "not on a Friday"`.
 */
import { type CrewSpec, defineAgent, defineCrew, type Json, type Voter } from "../../src/index.ts";

const changes = [
  "Budgets are exact decimals",
  "Fix: a torn record is cut off and reported",
  "Guardrails look at actions",
];

const writer = defineAgent({
  name: "writer",
  skills: ["prose"],
  run: () => changes.map((change) => `- ${change}.`).join("\n"),
});

const releaser = defineAgent({
  name: "releaser",
  skills: ["release"],
  run: (task, { dependencies }) => ({ released: task.input, notes: dependencies.notes ?? null }),
});

/** An editor is shown what is to be approved, and has a rule of its own. */
function editor(name: string, approves: (notes: string) => boolean) {
  const vote: Voter = ({ context }) => (approves(outputIn(context)) ? "approve" : "reject");
  return defineAgent({ name, vote });
}

function outputIn(context: Json | undefined): string {
  return typeof context === "object" && context !== null && "output" in context ? String(context.output) : "";
}

const editors = [
  editor("brief", (notes) => notes.length < 200),
  editor("plain", (notes) => !/synergy|leverage/i.test(notes)),
  editor("strict", (notes) => notes.split("\n").every((line) => !line.startsWith("- Fix"))),
];

const crew: CrewSpec = defineCrew({
  name: "release",
  agents: [writer, releaser, ...editors],
  tasks: [
    { id: "notes", skills: ["prose"], approval: { before: "output", by: { ballot: "majority" } } },
    { id: "release", skills: ["release"], input: "2.0.0", dependsOn: ["notes"], approval: { before: "run" } },
  ],
  output: ([, release]) => release?.output ?? null,
});
export default crew;
