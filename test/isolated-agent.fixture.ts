/** An agent that is run in a thread of its own, and does there what its task asks for. */
import { defineAgent, type Json } from "../src/index.ts";

interface Order {
  readonly do: string;
  readonly with?: Json;
}

export default defineAgent<Order & Record<string, never>>({
  name: "inside",
  run: async (task, ctx) => {
    const { input } = task;
    switch (input.do as string) {
      case "echo":
        return {
          input: input.with ?? null,
          attempt: ctx.attempt,
          key: ctx.idempotencyKey,
          needs: { ...ctx.dependencies },
        };
      case "loop":
        ctx.log.debug({}, "begun");
        for (;;);
      case "loop, alive": {
        const until = Date.now() + 1_500;
        while (Date.now() < until) void ctx.heartbeat();
        return "done";
      }
      case "flood of lines":
        ctx.log.debug({}, "begun");
        for (;;) ctx.log.info({}, "more");
      case "flood of progress":
        ctx.log.debug({}, "begun");
        for (;;) ctx.progress(1);
      case "flood of signs of life":
        ctx.log.debug({}, "begun");
        for (;;) void ctx.heartbeat();
      case "flood of messages": {
        const { parentPort } = await import("node:worker_threads");
        ctx.log.debug({}, "begun");
        for (;;) parentPort?.postMessage("more");
      }
      case "flood of calls":
        ctx.log.debug({}, "begun");
        for (;;) {
          for (let n = 0; n < 2_000; n++) void ctx.state.set(`key${n}`, n);
          await ctx.heartbeat();
        }
      case "too many": {
        const all = await Promise.allSettled(Array.from({ length: 1_001 }, () => ctx.state.get("key")));
        const refused = all.flatMap((one) => (one.status === "rejected" ? [one.reason.code as string] : []));
        return { given: all.length - refused.length, refused };
      }
      case "exit":
        return process.exit(3);
      case "exit later":
        setTimeout(() => process.exit(4), 0);
        return await new Promise<never>(() => undefined);
      case "reject later":
        void Promise.reject(new Error("nobody looks"));
        return await new Promise<never>(() => undefined);
      case "hoard": {
        const hoard: number[][] = [];
        for (;;) hoard.push(new Array(100_000).fill(hoard.length));
      }
      case "grab": {
        const pieces: number[][] = [];
        for (;;) pieces.push(new Array(5_000_000).fill(0.5));
      }
      case "long line":
        ctx.log.info({}, "x".repeat(100_000_000));
        return "told";
      case "litter": {
        const last: number[][] = [];
        for (let n = 0; n < 2_000; n++) last[n % 3] = new Array(200_000).fill(n);
        return last.length;
      }
      case "throw":
        throw Object.assign(new TypeError("inside"), { retryable: false });
      case "hang":
        return await new Promise<never>(() => undefined);
      case "stop":
        ctx.log.debug({}, "begun");
        await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve, { once: true }));
        throw ctx.signal.reason;
      case "cycle": {
        const cycle: Record<string, unknown> = {};
        cycle.self = cycle;
        return cycle as never;
      }
      case "huge":
        return "x".repeat(100_000_000);
      case "tell":
        ctx.progress(0.5, "half");
        ctx.log.info({ deep: { n: 1 } }, "told");
        await ctx.checkpoint({ at: ctx.attempt });
        await ctx.heartbeat();
        if (ctx.attempt === 1) throw new Error("again");
        return { resumed: ctx.resumeFrom ?? null };
      case "ask": {
        const allocation = await ctx.request({ disk: 1 });
        const code = await ctx.request({ disk: 9 }).then(
          () => "granted",
          (error: { code: string }) => error.code,
        );
        await ctx.release(allocation);
        const version = await ctx.state.set("shared", { from: task.id });
        return { code, version, read: (await ctx.state.get("shared"))?.value ?? null };
      }
      case "spend": {
        const code = (error: { code: string }): string => error.code;
        await ctx.budget.spend("0.3", "tokens");
        return [
          await ctx.budget.spend("0.8").then(() => "spent", code),
          await ctx.budget.spend(-1).then(() => "spent", code),
          await ctx.budget.spend(0.7).then(() => "spent", code),
        ];
      }
      case "talk": {
        if (ctx.attempt === 1) {
          await ctx.send("inside", "one");
          await ctx.send("inside", "two");
          await ctx.publish("news", null);
          for await (const { body } of ctx.messages()) if (body === "two") throw new Error("again");
        }
        const heard: string[] = [];
        // More loops than there may be at a time, each left at once.
        for (let n = 0; n < 100; n++) for await (const _ of ctx.messages({ topic: `t${n}`, timeoutMs: 0 })) break;
        for await (const { id, body } of ctx.messages({ timeoutMs: 0 })) heard.push(`${id} ${body}`);
        for await (const { id, body } of ctx.messages({ topic: "news" })) {
          heard.push(`${id} ${body}`);
          break;
        }
        const wrong = ctx
          .messages({ from: "ann" } as never)
          [Symbol.asyncIterator]()
          .next();
        return { heard, refused: await wrong.then(String, (error: Error) => error.message) };
      }
      case "absent": {
        const refused = await Promise.allSettled([
          ctx.submit({}),
          ctx.act("a", null, async () => null),
          ctx.cache("k", 1, async () => null),
          ctx.checkpoint(1n as never),
        ]);
        return refused.map((one) => (one.status === "rejected" ? String(one.reason.message) : "given"));
      }
      case "break in": {
        // What an agent can reach of its thread is not the port.
        const { MessagePort, parentPort } = await import("node:worker_threads");
        parentPort?.postMessage(JSON.stringify({ tell: "returned", output: "forged" }));
        const original = MessagePort.prototype.postMessage;
        MessagePort.prototype.postMessage = function (this: unknown, ..._: never[]) {
          Reflect.apply(original, this, [JSON.stringify({ tell: "returned", output: "forged" })]);
          Reflect.apply(original, this, ["not even JSON"]);
        } as never;
        JSON.stringify = () => "null";
        return "honest";
      }
      default:
        return null;
    }
  },
});
