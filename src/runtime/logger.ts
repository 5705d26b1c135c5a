import pino from "pino";
import type { Logger } from "../agents/agent.ts";
import { quietly } from "./quietly.ts";

let made: Logger | undefined;

/** Warnings and errors as lines of JSON on stderr, the rest nowhere. */
export const defaultLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (o, m) => lines().warn(o, m),
  error: (o, m) => lines().error(o, m),
};

/** Made when there is something to tell: most programs never need it. */
function lines(): Logger {
  made ??= pino({ name: "safeguards", level: "warn" }, pino.destination({ fd: 2, sync: true }));
  return made;
}

/**
 * The same logger, with these facts in each line, whatever else it tells of them. A logger that throws, or gives a promise that
 * is rejected, harms nobody.
 */
export function withFacts(logger: Logger, facts: object): Logger {
  const at = (level: keyof Logger) => (o: object, m?: string) => {
    try {
      const told: unknown = logger[level]({ ...facts, ...o, ...facts }, m);
      if (told instanceof Promise) quietly(told);
    } catch {
      // Nothing is left to tell it to.
    }
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
