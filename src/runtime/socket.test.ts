import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import { addressOf } from "./socket-address.ts";
import { connectSocket, type SocketClient } from "./socket-client.ts";
import { MAX_MESSAGE_BYTES } from "./socket-lines.ts";
import { type SocketHandler, type SocketServer, serveSocket } from "./socket-server.ts";

function newPath(...folders: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "safeguards-socket-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const inner = join(folder, ...folders);
  mkdirSync(inner, { recursive: true });
  return join(inner, "s");
}

async function served(path: string, handler: SocketHandler): Promise<SocketServer> {
  const server = await serveSocket(path, handler);
  onTestFinished(() => server.close());
  return server;
}

async function client(path: string): Promise<SocketClient> {
  const connection = await connectSocket(path);
  onTestFinished(() => connection.close());
  return connection;
}

async function raw(path: string): Promise<Socket> {
  const socket = createConnection(path);
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

const echo: SocketHandler = async (request) => request;

/** What somebody is being waited for with, and how it goes on. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** Tells when so many have asked, and when all those have gone. */
function neverAnswers(count: number): { handler: SocketHandler; asked: Promise<void>; aborted: Promise<void> } {
  const [asked, aborted] = [gate(), gate()];
  let [asking, gone] = [0, 0];
  const handler: SocketHandler = (_, { signal }) => {
    if (++asking === count) asked.open();
    signal.addEventListener("abort", () => {
      if (++gone === count) aborted.open();
    });
    return new Promise<Json>(() => undefined);
  };
  return { handler, asked: asked.opened, aborted: aborted.opened };
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const value of values) collected.push(value);
  return collected;
}

test("each request gets its own answer, whatever the order of answering", async () => {
  const path = newPath();
  const first = gate();
  await served(path, async (request) => {
    if (request === 1) await first.opened;
    else first.open();
    return { answerTo: request };
  });
  const { request } = await client(path);
  expect(await Promise.all([request(1), request(2)])).toEqual([{ answerTo: 1 }, { answerTo: 2 }]);
});

test("any JSON passes unharmed: line ends, other scripts, special keys", async () => {
  const path = newPath();
  await served(path, echo);
  const { request } = await client(path);
  const value: Json = JSON.parse('{"__proto__":{"a":1},"text":"one\\ntwo\\u2028\\r ü 😀","list":[null,true,-0.5]}');
  expect(JSON.stringify(await request(value))).toBe(JSON.stringify(value));
  for (const simple of [null, false, 0, "", []]) expect(await request(simple)).toEqual(simple);
});

test("what the handler throws is thrown by the request", async () => {
  const path = newPath();
  await served(path, async (request) => {
    if (request === "ours") throw new SafeguardsError("UNKNOWN_TASK", "no task x", { details: { id: "x" } });
    throw new TypeError("a fault");
  });
  const { request } = await client(path);
  await expect(request("ours")).rejects.toMatchObject({
    code: "UNKNOWN_TASK",
    message: "no task x",
    details: { id: "x" },
  });
  await expect(request("other")).rejects.toMatchObject({
    code: "INVALID_STATE",
    message: expect.stringContaining("a fault"),
  });
});

test("a subscription gives what is sent, in order, and ends with the answer", async () => {
  const path = newPath();
  await served(path, async (request, { send }) => {
    for (let n = 0; n < 1_000; n++) await send({ of: request, n });
    return null;
  });
  const { subscribe } = await client(path);
  const [a, b] = await Promise.all([all(subscribe("a")), all(subscribe("b"))]);
  expect(a).toEqual(Array.from({ length: 1_000 }, (_, n) => ({ of: "a", n })));
  expect(b.at(-1)).toEqual({ of: "b", n: 999 });
});

test("an error ends a subscription", async () => {
  const path = newPath();
  await served(path, async (_, { send }) => {
    await send(1);
    throw new SafeguardsError("SEQ_COMPACTED", "gone");
  });
  const { subscribe } = await client(path);
  const read: Json[] = [];
  const reading = (async () => {
    for await (const item of subscribe(null)) read.push(item);
  })();
  await expect(reading).rejects.toMatchObject({ code: "SEQ_COMPACTED" });
  expect(read).toEqual([1]);
});

test("a subscriber that goes away aborts the handler's signal", async () => {
  const path = newPath();
  const aborted = gate();
  await served(path, async (_, { send, signal }) => {
    signal.addEventListener("abort", aborted.open);
    for (let n = 0; !signal.aborted; n++) {
      await send(n);
      await setImmediate();
    }
    return null;
  });
  const { subscribe } = await client(path);
  for await (const item of subscribe(null)) if (item === 3) break;
  await aborted.opened;
});

test("a subscriber that never reads holds up only its own handler, after a bounded number of items", async () => {
  const path = newPath();
  let sent = 0;
  await served(path, async (request, { send, signal }) => {
    if (request === "ask") return sent;
    for (; !signal.aborted; sent++) await send("x".repeat(10_000));
    return null;
  });
  const { request, subscribe } = await client(path);
  const lazy = subscribe("all")[Symbol.asyncIterator]();
  await lazy.next();
  const asked = async () => Number(await request("ask"));
  await expect.poll(async () => (await asked()) - (await asked())).toBe(0);
  expect(await request("ask")).toBeLessThan(1_000);
  await lazy.return?.();
});

test("closing the server ends what waits with CLOSED, and takes the socket away", async () => {
  const path = newPath();
  const never = neverAnswers(2);
  const server = await served(path, never.handler);
  const { request, subscribe } = await client(path);
  const waiting = expect(request("never")).rejects.toMatchObject({ code: "CLOSED" });
  const reading = expect(all(subscribe("never"))).rejects.toMatchObject({ code: "CLOSED" });
  await never.asked;
  await server.close();
  await Promise.all([waiting, reading, never.aborted]);
  expect(existsSync(path)).toBe(false);
  await expect(request("late")).rejects.toMatchObject({ code: "CLOSED" });
  await expect(connectSocket(path)).rejects.toMatchObject({ code: "CLOSED", message: expect.stringContaining(path) });
});

test("closing the client ends what waits with CLOSED, and is noticed by the server", async () => {
  const path = newPath();
  const never = neverAnswers(2);
  await served(path, never.handler);
  const { request, subscribe, close } = await client(path);
  const waiting = expect(request("never")).rejects.toMatchObject({ code: "CLOSED" });
  const reading = expect(all(subscribe("never"))).rejects.toMatchObject({ code: "CLOSED" });
  await never.asked;
  close();
  await Promise.all([waiting, reading, never.aborted]);
});

test("a client that is closed before a subscription has connected ends that, too", async () => {
  const path = newPath();
  await served(path, neverAnswers(1).handler);
  const { subscribe, close } = await client(path);
  const reading = expect(all(subscribe("never"))).rejects.toMatchObject({ code: "CLOSED" });
  close();
  await reading;
});

test("the socket is for its owner only, whatever the mask is", async () => {
  const path = newPath();
  const mask = process.umask(0);
  onTestFinished(() => void process.umask(mask));
  await served(path, echo);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(process.umask()).toBe(0);
});

test("a path longer than a system allows works too, and leaves nothing behind", async () => {
  const path = newPath("a long name of a folder ".repeat(5), "and another one that is long ".repeat(5));
  expect(Buffer.byteLength(path)).toBeGreaterThan(200);
  const server = await served(path, echo);
  const { request } = await client(path);
  expect(await request("far")).toBe("far");
  const address = addressOf(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(address, "..")).mode & 0o777).toBe(0o700);
  await expect(serveSocket(path, echo)).rejects.toMatchObject({ code: "INVALID_STATE" });
  await server.close();
  expect(lstatSync(path, { throwIfNoEntry: false })).toBe(undefined);
  expect(existsSync(join(address, ".."))).toBe(false);
});

test("a socket at which somebody answers is not taken away", async () => {
  const path = newPath();
  await served(path, echo);
  await expect(serveSocket(path, echo)).rejects.toMatchObject({
    code: "INVALID_STATE",
    message: expect.stringContaining(path),
  });
  const { request } = await client(path);
  expect(await request("still there")).toBe("still there");
});

test("a socket that a killed process left is replaced, and so is a link that leads nowhere", async () => {
  const left = newPath();
  const dead = createServer().listen(`${left}.dead`);
  await once(dead, "listening");
  // Closing unlinks by name; under another name the file stays, with nobody behind it.
  renameSync(`${left}.dead`, left);
  await new Promise((resolve) => dead.close(resolve));
  expect(lstatSync(left).isSocket()).toBe(true);

  const link = newPath();
  symlinkSync("/nowhere/socket", link);
  for (const path of [left, link]) {
    await served(path, echo);
    const { request } = await client(path);
    expect(await request("new")).toBe("new");
  }
});

test("a file that is no socket is left alone", async () => {
  const path = newPath();
  writeFileSync(path, "mine");
  await expect(serveSocket(path, echo)).rejects.toMatchObject({ code: "INVALID_STATE" });
  expect(lstatSync(path).isFile()).toBe(true);
});

test("messages up to the limit pass, larger ones are refused on both sides and harm nobody", async () => {
  const path = newPath();
  await served(path, async (request) => (typeof request === "number" ? "x".repeat(request) : String(request).length));
  const { request } = await client(path);
  const most = MAX_MESSAGE_BYTES - 40;
  expect(await request("x".repeat(most))).toBe(most);
  expect(String(await request(most)).length).toBe(most);
  await expect(request("x".repeat(MAX_MESSAGE_BYTES))).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  await expect(request(MAX_MESSAGE_BYTES)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  expect(await request("after")).toBe(5);
});

test.each([
  ["no JSON", "{not json}\n"],
  ["no UTF-8", Buffer.from([0xff, 0xfe, 0x0a])],
  ["an empty line", "\n"],
  ["no object", "7\n"],
  ["null", "null\n"],
  ["a request without id", '{"request":1}\n'],
  ["an id that is no number", '{"id":"1","request":1}\n'],
  ["an id that is too large", '{"id":1e300,"request":1}\n'],
  ["an id without request", '{"id":1}\n'],
  ["a line without end", "x".repeat(MAX_MESSAGE_BYTES + 2)],
  ["binary noise", Buffer.from(Array.from({ length: 100_000 }, (_, n) => (n * 7919) % 256))],
])("a client that sends %s loses its connection, and nobody else does", async (_, garbage) => {
  const path = newPath();
  await served(path, echo);
  const { request } = await client(path);
  const hostile = await raw(path);
  hostile.resume();
  const closed = new Promise((resolve) => hostile.once("close", resolve));
  hostile.write(garbage);
  await closed;
  expect(await request("unharmed")).toBe("unharmed");
});

test("requests that arrive in pieces or many at once are all answered", async () => {
  const path = newPath();
  await served(path, echo);
  const socket = await raw(path);
  const text = Array.from({ length: 50 }, (_, id) => `${JSON.stringify({ id, request: "ü".repeat(id) })}\n`).join("");
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += 7) {
    socket.write(bytes.subarray(from, from + 7));
    await setImmediate();
  }
  let answers = "";
  for await (const chunk of socket) {
    answers += chunk;
    if (answers.split("\n").length === 51) break;
  }
  expect(
    answers
      .split("\n")
      .slice(0, 50)
      .map((line) => JSON.parse(line).id)
      .toSorted((a, b) => a - b),
  ).toEqual(Array.from({ length: 50 }, (_, id) => id));
});

test("a client that breaks off in the middle of a request or an answer harms nobody", async () => {
  const path = newPath();
  await served(path, async (request, { send }) => {
    if (request !== "large") return request;
    for (let n = 0; n < 100; n++) void send("x".repeat(100_000));
    return "done";
  });
  const { request } = await client(path);
  for (const text of ['{"id":1,"requ', '{"id":1,"request":"large"}\n']) {
    const socket = await raw(path);
    socket.write(text);
    await setImmediate();
    socket.destroy();
  }
  expect(await request("unharmed")).toBe("unharmed");
});

test("a client that floods without reading is answered QUEUE_FULL or cut off, and nobody waits for it", async () => {
  const path = newPath();
  let unanswered = 0;
  let most = 0;
  await served(path, async (request) => {
    if (request === "quick") return request;
    most = Math.max(most, ++unanswered);
    return new Promise<Json>(() => undefined);
  });
  const { request } = await client(path);
  const flood = await raw(path);
  for (let id = 0; id < 5_000; id++) flood.write(`{"id":${id},"request":"slow"}\n`);
  const reading = flood[Symbol.asyncIterator]();
  expect(String((await reading.next()).value)).toContain("QUEUE_FULL");
  expect(await request("quick")).toBe("quick");
  expect(most).toBeLessThanOrEqual(1_000);
});

test("a client that asks for more than it reads is waited for, and gets it all", async () => {
  const path = newPath();
  let asked = 0;
  await served(path, async () => {
    asked++;
    return "x".repeat(100_000);
  });
  const slow = await raw(path);
  const request = "y".repeat(10_000);
  for (let id = 0; id < 400; id++) slow.write(`${JSON.stringify({ id, request })}\n`);
  const { request: ask } = await client(path);
  await ask(null);
  expect(asked).toBeLessThan(100);
  let answers = 0;
  for await (const bytes of slow) {
    answers += String(bytes).split("\n").length - 1;
    if (answers === 400) break;
  }
  expect(answers).toBe(400);
});
