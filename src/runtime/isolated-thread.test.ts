import { expect, test } from "vitest";
import type { AgentContext } from "../agents/agent.ts";
import { IsolatedThread, threadSeats } from "./isolated-thread.ts";
import { runtimeLimits } from "./limits.ts";

test("a module that is not there in time fails its attempt, which may be tried again, and its thread is ended", async () => {
  const { signal } = new AbortController();
  await threadSeats.take(signal);
  const waits = new Map<number, () => void>();
  const thread = new IsolatedThread({
    agent: "ann",
    options: { module: "data:text/javascript,await new Promise(() => undefined)", memoryMb: 64, leaseMs: 60_000 },
    task: { id: "t", input: null, priority: 5 },
    context: { signal, token: 1, attempt: 1, idempotencyKey: "t", dependencies: {} } as unknown as AgentContext,
    after: (ms, fn) => {
      waits.set(ms, fn);
      return () => waits.delete(ms);
    },
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    lost: () => undefined,
  });
  waits.get(runtimeLimits.isolatedStartMs)?.();
  await expect(thread.result).rejects.toMatchObject({
    code: "TASK_FAILED",
    message: 'the module of agent "ann" was not there within 30000 ms',
    retryable: true,
  });
  expect(waits.has(runtimeLimits.isolatedStartMs)).toBe(false);
});
