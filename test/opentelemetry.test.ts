import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { describe, expect, it } from "vitest";
import { defineAgent, defineManager } from "../src/index.ts";
import { instrument } from "../src/opentelemetry/index.ts";
import { Measures } from "../src/opentelemetry/measures.ts";
import { Spans } from "../src/opentelemetry/spans.ts";
import { opened, rejection } from "./coordinator.fixture.ts";
import { listFiles, readText } from "./tidy/source.ts";

function sdk(temporality: AggregationTemporality = AggregationTemporality.CUMULATIVE) {
  const exporter = new InMemorySpanExporter();
  const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer("test");
  const measured = new InMemoryMetricExporter(temporality);
  const reader = new PeriodicExportingMetricReader({ exporter: measured });
  const provider = new MeterProvider({ readers: [reader] });
  const figures = async (): Promise<Map<string, unknown>> => {
    measured.reset();
    await provider.forceFlush();
    const points = measured.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
    return new Map(
      points.flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => {
          const count = typeof value === "object" && "count" in value ? value.count : value;
          return [[descriptor.name, ...Object.values(attributes)].join(" "), count] as const;
        }),
      ),
    );
  };
  return { tracer, meter: provider.getMeter("test"), spans: () => exporter.getFinishedSpans(), figures };
}

function named(spans: readonly ReadableSpan[], name: string): ReadableSpan {
  const found = spans.filter((span) => span.name === name);
  expect(found.map((span) => span.name)).toEqual([name]);
  return found[0] as ReadableSpan;
}

describe("instrument", () => {
  it("gives a span for each task and attempt, nested as the tasks are, with the times of the log", async () => {
    const coordinator = await opened();
    const { tracer, meter, spans, figures } = sdk();
    const telemetry = await instrument(coordinator, { tracer, meter });
    await coordinator.register(
      defineAgent({
        name: "worker",
        run: async ({ input }, ctx) => {
          await ctx.checkpoint(1);
          if (input === "bad") throw new Error("secret stays out of names");
          return 1;
        },
      }),
    );
    await coordinator.register(
      defineManager({
        name: "lead",
        team: ["worker"],
        minSuccess: 1,
        plan: () => [{ id: "a" }, { id: "b", input: "bad", retry: { maxAttempts: 2, initialMs: 1 } }],
      }),
    );
    await (await coordinator.submit({ id: "tree", name: "review", agent: "lead" })).result();
    await telemetry.stop();

    const all = spans();
    const root = named(all, "task review");
    const [a, b] = [named(all, "task tree/a"), named(all, "task tree/b")];
    expect(root.parentSpanContext).toBeUndefined();
    for (const child of [a, b]) expect(child.parentSpanContext?.spanId).toBe(root.spanContext().spanId);
    expect(new Set(all.map((span) => span.spanContext().traceId)).size).toBe(1);
    const attempts = all.filter(({ name }) => name === "invoke_agent worker");
    expect(attempts.map((span) => span.parentSpanContext?.spanId).sort()).toEqual(
      [a, b, b].map((span) => span.spanContext().spanId).sort(),
    );
    expect(a.attributes).toMatchObject({ "safeguards.task.id": "tree/a", "safeguards.task.status": "completed" });
    expect(b.status).toMatchObject({ code: 2, message: "secret stays out of names" });
    const failed = attempts.filter(({ attributes }) => attributes["safeguards.attempt.end"] === "failed");
    expect(failed.map(({ status }) => status.code)).toEqual([2, 2]);
    expect(all.filter(({ name }) => name === "invoke_agent lead")).toHaveLength(2);
    expect(attempts[0]?.events.map(({ name }) => name)).toEqual(["checkpoint"]);
    const { submittedAt = 0, endedAt = 0 } = (await coordinator.tasks()).find(({ id }) => id === "tree/a") ?? {};
    const ms = ([seconds, nanos]: readonly [number, number]) => seconds * 1000 + nanos / 1e6;
    expect([ms(a.startTime), ms(a.endTime)]).toEqual([submittedAt, endedAt]);

    const counted = await figures();
    expect(counted.get("safeguards.tasks.submitted")).toBe(3);
    expect(counted.get("safeguards.tasks.ended completed")).toBe(2);
    expect(counted.get("safeguards.tasks.ended failed")).toBe(1);
    expect(counted.get("safeguards.attempts.ended worker failed")).toBe(2);
    expect(counted.get("safeguards.attempts.ended lead completed")).toBe(2);
    expect(counted.get("safeguards.attempt.duration worker completed")).toBe(1);
    expect(counted.get("safeguards.task.queue_wait")).toBe(3);
    expect(counted.get("safeguards.task.duration failed")).toBe(1);
  });

  it("ends the attempt whose output waits to be approved, and tells of the approval on the task", async () => {
    const coordinator = await opened();
    const { tracer, meter, spans, figures } = sdk();
    const telemetry = await instrument(coordinator, { tracer, meter });
    await coordinator.register(defineAgent({ name: "worker", run: () => 1 }));
    const [good, bad] = await coordinator.submit([
      { id: "good", approval: { before: "output" } },
      { id: "bad", approval: { before: "output" } },
    ]);
    await coordinator.idle();
    await coordinator.approve("good");
    await coordinator.reject("bad", "no");
    await Promise.all([good?.outcome(), bad?.outcome()]);
    await telemetry.stop();
    // Before their tasks, whatever becomes of those.
    expect(spans().map(({ name }) => name)).toEqual([
      "invoke_agent worker",
      "invoke_agent worker",
      "task good",
      "task bad",
    ]);
    expect(spans()[1]?.attributes).toMatchObject({ "safeguards.attempt.end": "completed" });
    const told = (name: string): unknown => named(spans(), name).events.map((event) => event.name);
    expect(told("task good")).toEqual(["approval.asked", "approval.given"]);
    expect(told("task bad")).toEqual(["approval.asked", "approval.rejected"]);
    expect((await figures()).get("safeguards.attempts.ended worker completed")).toBe(2);
  });

  it("tells of a task that is held and goes on", async () => {
    const coordinator = await opened();
    const { tracer, meter, spans, figures } = sdk();
    const telemetry = await instrument(coordinator, { tracer, meter });
    const task = await coordinator.submit({ id: "t", skills: ["none"] });
    await task.pause();
    await task.resume();
    await task.cancel();
    await telemetry.stop();
    expect(named(spans(), "task t").events.map(({ name }) => name)).toEqual(["paused", "resumed"]);
    // Nothing is asked of the coordinator any more.
    expect([...(await figures()).keys()].filter((name) => /time|cost/.test(name))).toEqual([]);
  });

  it("ends what is open when it is stopped, and starts where it is told to", async () => {
    const coordinator = await opened();
    await coordinator.submit({ id: "before", skills: ["none"] });
    const [late, early] = [sdk(), sdk()];
    const rest = await instrument(coordinator, { tracer: late.tracer });
    const all = await instrument(coordinator, { tracer: early.tracer, from: 1 });
    await coordinator.submit({ id: "after", skills: ["none"] });
    await all.stop();
    expect(early.spans().map(({ name }) => name)).toEqual(["task before", "task after"]);
    expect(early.spans().every(({ attributes }) => attributes["safeguards.unfinished"] === true)).toBe(true);
    await rest.stop();
    expect(late.spans().map(({ name }) => name)).toEqual(["task after"]);
  });

  it("opens a task again that is tried again after it failed", async () => {
    const coordinator = await opened();
    const { tracer, meter, spans, figures } = sdk();
    const telemetry = await instrument(coordinator, { tracer, meter });
    let calls = 0;
    const run = () => {
      calls += 1;
      if (calls === 1) throw new Error("not yet");
      return null;
    };
    await coordinator.register(defineAgent({ name: "worker", run }));
    const task = await coordinator.submit({ id: "t", retry: { maxAttempts: 1 } });
    await rejection(task.result());
    await task.retry();
    await task.result();
    await telemetry.stop();
    expect(spans().map(({ name }) => name)).toEqual(["invoke_agent worker", "task t", "invoke_agent worker", "task t"]);
    const counted = await figures();
    expect(counted.get("safeguards.attempts.ended worker failed")).toBe(1);
    expect(counted.get("safeguards.attempts.ended worker completed")).toBe(1);
    expect(counted.get("safeguards.task.queue_wait")).toBe(1);
  });

  it("tells what the coordinator measures of itself, and what its agents have spent, as long as it is open", async () => {
    const coordinator = await opened();
    // Each time only what was told since.
    const { tracer, meter, figures } = sdk(AggregationTemporality.DELTA);
    await using _ = await instrument(coordinator, { tracer, meter });
    const run = defineAgent({ name: "worker", skills: ["x"], run: (_task, { budget }) => budget.spend("0.25") });
    await coordinator.register(run);
    await (await coordinator.submit({ skills: ["x"] })).result();
    const told = await figures();
    expect(told.get("safeguards.agent.cost worker")).toBe(0.25);
    const { decisionMs, agents } = await coordinator.stats();
    expect(decisionMs.count).toBeGreaterThan(0);
    for (const step of ["queue_wait", "run", "decision", "journal", "dispatch"])
      expect([...told.keys()]).toContain(`safeguards.time ${step} 0.99`);
    expect(told.get("safeguards.time worker run 0.5")).toBe((agents.worker?.runMs.p50 ?? Number.NaN) / 1000);
    expect([...told.keys()]).toContain("safeguards.time skills x queue_wait 0.5");
    expect([...told.keys()]).not.toContain("safeguards.time message 0.5");
    await coordinator.close();
    expect([...(await figures()).keys()].filter((name) => /time|cost/.test(name))).toEqual([]);
  });

  it("ends with the coordinator that it follows", async () => {
    const coordinator = await opened();
    const { tracer, meter, spans } = sdk();
    const telemetry = await instrument(coordinator, { tracer, meter });
    await coordinator.register(defineAgent({ name: "worker", run: () => null }));
    await (await coordinator.submit({ id: "t" })).result();
    await coordinator.close();
    await telemetry.stop();
    const told = spans().map(({ name }) => name);
    expect(["invoke_agent worker", "task t"].slice(0, told.length)).toEqual(told);
  });

  it("refuses what is wrong", async () => {
    const coordinator = await opened();
    const wrong: readonly unknown[] = [{ from: 0 }, { tracer: {} }, { meter: {} }, { traces: true }];
    for (const options of wrong) {
      expect(await rejection(instrument(coordinator, options as object))).toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });

  it.each([undefined, null, 5, {}])("refuses to follow %j", async (followed) => {
    expect(await rejection(instrument(followed as never))).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: `coordinator is ${JSON.stringify(followed)}; it must be a Coordinator`,
    });
  });
});

it("is the only part that needs what a user may not have installed", () => {
  const needing = listFiles().filter((path) => path.startsWith("src/") && readText(path).includes('"@opentelemetry/'));
  expect(needing.length).toBeGreaterThan(0);
  expect(needing.filter((path) => !path.startsWith("src/opentelemetry/"))).toEqual([]);
});

describe("a task's trace", () => {
  const submitted = (trace: string) => ({ seq: 1, at: 1, v: 1, type: "task.submitted", taskId: "t", trace });
  const [traceId, spanId] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];

  it("is the caller's when that is told as a traceparent", () => {
    const { tracer, spans } = sdk();
    const told = new Spans(tracer, () => undefined);
    told.tell(submitted(`00-${traceId}-${spanId}-01`));
    told.end();
    expect(spans()[0]?.spanContext().traceId).toBe(traceId);
    expect(spans()[0]?.parentSpanContext?.spanId).toBe(spanId);
  });

  it.each(["mine", `01-${traceId}-${spanId}-01`, `00-${"0".repeat(32)}-${spanId}-01`, ""])(
    "is its own when it is %j",
    (trace) => {
      const { tracer, spans } = sdk();
      const told = new Spans(tracer, () => undefined);
      told.tell(submitted(trace));
      told.end();
      expect(spans()[0]?.parentSpanContext).toBeUndefined();
    },
  );

  it("is left out when too many are open", () => {
    const { tracer } = sdk();
    let dropped = 0;
    const told = new Spans(tracer, () => {
      dropped += 1;
    });
    for (let i = 0; i < 10_003; i++) told.tell({ seq: 1, at: 1, v: 1, type: "task.submitted", taskId: `t${i}` });
    expect(dropped).toBe(3);
  });

  it("that is left out is counted", async () => {
    const { meter, figures } = sdk();
    const measures = new Measures(meter);
    measures.dropped();
    measures.dropped();
    expect((await figures()).get("safeguards.spans.dropped")).toBe(2);
  });
});
