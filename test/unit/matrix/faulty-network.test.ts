import { describe, expect, test } from "vitest";
import { FaultyNetwork, type Interference } from "../../matrix/faulty-network.ts";
import { json, serve } from "../flink/stub-server.ts";

const body = { hello: "a text that is long enough to be cut in half" };

/** Three requests, the second to the JobManager; it meets the interference. */
async function pass(interference: (network: FaultyNetwork) => Interference | null) {
  await using gateway = await serve(json(body));
  await using jobmanager = await serve(json(body, 202));
  await using network: FaultyNetwork = await FaultyNetwork.start({
    gatewayUrl: gateway.url,
    jobmanagerUrl: jobmanager.url,
    interfere: (number) => (number === 2 ? interference(network) : null),
  });
  const answers = [
    await ask(`${network.gatewayUrl}/one`),
    await ask(`${network.jobmanagerUrl}/two?x=1`),
    await ask(`${network.gatewayUrl}/three`),
  ];
  return { answers, arrived: [...gateway.requests, ...jobmanager.requests], count: network.count };
}

async function ask(url: string): Promise<string> {
  try {
    const response = await fetch(url, { method: "POST", body: "{}", signal: AbortSignal.timeout(500) });
    return `${response.status} ${JSON.stringify(await response.json())}`;
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

const good = `200 ${JSON.stringify(body)}`;
const goodToo = `202 ${JSON.stringify(body)}`;

describe("a network that fails on demand", () => {
  test("passes requests on to both services, and counts them together", async () => {
    const { answers, arrived, count } = await pass(() => null);
    expect(answers).toEqual([good, goodToo, good]);
    expect(arrived).toEqual(["POST /one", "POST /three", "POST /two?x=1"]);
    expect(count).toBe(3);
  });

  test.each([
    ["reset", "TypeError", false],
    ["reset-answer", "TypeError", true],
    ["hang", "TimeoutError", true],
    ["half", "TypeError", true],
    ["status-500", "SyntaxError", false],
  ] as const)("%s: one request ends in %s, and arrives: %s", async (kind, expected, arrives) => {
    const { answers, arrived } = await pass(() => ({ kind }));
    expect(answers).toEqual([good, expected, good]);
    expect(arrived.includes("POST /two?x=1")).toBe(arrives);
  });

  test.each([
    ["before", "TypeError", false],
    ["after-send", "TypeError", true],
    ["after-answer", goodToo, true],
  ] as const)("cut %s a request, nothing goes through from there on", async (when, expected, arrives) => {
    const { answers, arrived } = await pass((network) => ({ kind: "act", when, act: () => network.cut() }));
    expect(answers).toEqual([good, expected, "TypeError"]);
    expect(arrived).toEqual(arrives ? ["POST /one", "POST /two?x=1"] : ["POST /one"]);
  });
});
