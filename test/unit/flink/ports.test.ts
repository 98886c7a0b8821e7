import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { expect, test } from "vitest";
import { freePorts, isFree, onFreePorts } from "../../../src/flink/ports.ts";

async function listenOn(port: number): Promise<Server> {
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

test("free ports are different ones, each below those of outgoing connections", async () => {
  const ports = await freePorts(20);
  expect(new Set(ports).size).toBe(20);
  expect(ports.every((port) => port >= 20_000 && port < 32_000)).toBe(true);
});

test("a start whose port a stranger took in between is tried again on another", async () => {
  const tried: number[] = [];
  const strangers: Server[] = [];
  const result = await onFreePorts(1, async ([port = 0]) => {
    tried.push(port);
    if (tried.length > 1) return "started";
    strangers.push(await listenOn(port));
    throw new Error("address in use");
  });
  for (const stranger of strangers) stranger.close();
  expect(result).toBe("started");
  expect(new Set(tried).size).toBe(2);
});

test("a start that fails for another reason is not tried again", async () => {
  let tries = 0;
  const start = onFreePorts(1, async () => {
    tries++;
    throw new Error("no such class");
  });
  await expect(start).rejects.toThrow("no such class");
  expect(tries).toBe(1);
});

test("a port on which someone listens is not free", async () => {
  const [port = 0] = await freePorts(1);
  const server = await listenOn(port);
  expect(await isFree(port)).toBe(false);
  server.close();
  await once(server, "close");
  expect(await isFree(port)).toBe(true);
});
