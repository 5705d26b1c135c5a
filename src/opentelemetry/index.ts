/**
 * `safeguards/opentelemetry`: what a coordinator does, as OpenTelemetry traces and metrics. It needs `@opentelemetry/api`, and
 * tells nobody anything until an SDK is set up.
 */
export { type Instrumentation, type InstrumentOptions, instrument } from "./instrument.ts";
