import type { Agent, AgentContext, Task } from "../agents/agent.ts";
import { defineAgent } from "../agents/function.ts";
import type { Json, Money, RecordOf } from "../coordination/structures/types.ts";
import { isSafeguardsError } from "../errors.ts";
import type { Command } from "../kernel/commands.ts";
import type { Accepted, CommandOptions } from "../runtime/backend.ts";
import type { Script } from "./fault-plan.ts";
import type { VirtualClock } from "./virtual-time.ts";

/** An agent of a simulation: what it can do, and for how much at once. Its code is made up. */
export interface SimulatedAgent {
  readonly name: string;
  /** Default: none. */
  readonly skills?: readonly string[] | RecordOf<number>;
  /** ≥ 0, at most nine decimals. Default: 1. */
  readonly capacity?: number;
}

/** What an agent's made-up code needs of the process that it runs in. */
export interface Stage {
  readonly clock: VirtualClock;
  /** An attempt's code is entered; how it is to go. */
  entered(task: Task, ctx: AgentContext): Script;
  /** What the task is thought to cost, and does. */
  costOf(taskId: string): Money | undefined;
  send(command: Command, options?: CommandOptions): Promise<Accepted>;
  complain(what: string): void;
}

/** An agent whose attempts take the time that their scripts say, and end as these say. */
export function scriptedAgent(agent: SimulatedAgent, stage: Stage): Agent {
  return defineAgent({
    ...agent,
    run: (task, ctx) => {
      const script = stage.entered(task, ctx);
      const work = perform(script, ctx, stage.clock, stage.costOf(task.id));
      if (script.duplicated) return twiceUnderOneId(work, task, ctx, stage);
      return script.twice ? answeringTwice(work, task, ctx, stage) : work;
    },
  });
}

/** Its output names the attempt that it is of. It spends what it costs when its time is over, however it ends. */
function perform(
  { durationMs, ends, deaf }: Script,
  { token, signal, budget }: AgentContext,
  clock: VirtualClock,
  cost: Money | undefined,
): Promise<Json> {
  const { promise, resolve, reject } = Promise.withResolvers<Json>();
  const cancel =
    ends === "never"
      ? undefined
      : clock.after(durationMs, () => {
          if (cost === undefined) end();
          else budget.spend(cost).then(end, reject);
        });
  function end(): void {
    if (ends === "by throwing") reject(new Error("it failed, as its script says"));
    else resolve({ token });
  }
  if (!deaf) {
    const stop = (): void => {
      cancel?.();
      reject(signal.reason);
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  }
  return promise;
}

/** Gives two outputs: to whoever awaits it, and past that straight to the kernel. Only one may count. */
function answeringTwice(
  work: Promise<Json>,
  { id: taskId }: Task,
  { token }: AgentContext,
  stage: Stage,
): Promise<Json> {
  return work.then((output) => {
    stage.send({ type: "attempt.complete", taskId, token, output: { token, again: 1 } }).catch(() => undefined);
    // Whoever awaits it is called twice.
    const hostile: PromiseLike<Json> = {
      // biome-ignore lint/suspicious/noThenProperty: that is what is tried here
      then(resolve) {
        resolve?.(output);
        resolve?.({ token, again: 2 });
        return new Promise(() => undefined);
      },
    };
    return hostile;
  });
}

/** Sends its answer twice under one id: both must be told the same. */
async function twiceUnderOneId(work: Promise<Json>, task: Task, ctx: AgentContext, stage: Stage): Promise<Json> {
  const about = { taskId: task.id, token: ctx.token };
  const command = await work.then(
    (output): Command => ({ type: "attempt.complete", ...about, output }),
    (error: unknown): Command => ({
      type: "attempt.fail",
      ...about,
      error: { code: "TASK_FAILED", message: `${error}` },
    }),
  );
  await sendTwice(command, `${task.id}#${ctx.attempt}`, stage);
  return null;
}

/** Sends a command twice under one id, and complains unless both are answered the same. */
export async function sendTwice(command: Command, id: string, stage: Stage): Promise<void> {
  const [first, again] = await Promise.all([answer(), answer()]);
  if (first !== again) stage.complain(`command ${id} was answered ${first}, and again ${again}`);

  async function answer(): Promise<string> {
    try {
      const { ids } = await stage.send(command, { id });
      return `with ids ${JSON.stringify(ids)}`;
    } catch (error) {
      if (isSafeguardsError(error)) return `with ${error.code}`;
      throw error;
    }
  }
}
