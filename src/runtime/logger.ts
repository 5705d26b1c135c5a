import type { Logger } from "../agents/agent.ts";

/** Warnings and errors go to stderr, the rest nowhere. */
export const defaultLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (o, m) => console.warn("safeguards:", m ?? "", o),
  error: (o, m) => console.error("safeguards:", m ?? "", o),
};

/** The same logger, with these facts in each line. A logger that throws harms nobody. */
export function withFacts(logger: Logger, facts: object): Logger {
  const at = (level: keyof Logger) => (o: object, m?: string) => {
    try {
      logger[level]({ ...facts, ...o }, m);
    } catch {
      // Nothing is left to tell it to.
    }
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
