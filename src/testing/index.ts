/** `safeguards/testing`: crews simulated without waiting, and what every journal must do as a suite. */
export type { FaultPlan } from "./fault-plan.ts";
export { type Expectation, journalConformance, type TestTools } from "./journal-conformance.ts";
export type { SimulatedAgent } from "./scripted-agent.ts";
export { simulate } from "./simulate.ts";
export type { SimulatedCrew } from "./simulated-crew.ts";
export type { SimulationReport } from "./simulation.ts";
