import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below what systems give to outgoing connections, so that none takes a port between our look and Flink's bind. */
const lowest = 20_000;
const highest = 32_000;

/** Different ports of 127.0.0.1 on which nobody listens at the moment. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count; attempt++) {
    if (attempt > 1000) throw new Error(`no free port of 127.0.0.1 between ${lowest} and ${highest}`);
    const port = randomInt(lowest, highest);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** Starts something on free ports, and again on others where a stranger took one in between. */
export async function onFreePorts<T>(count: number, start: (ports: readonly number[]) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const ports = await freePorts(count);
    try {
      return await start(ports);
    } catch (error) {
      // What we had started has ended by now, so whoever listens is someone else.
      const stillFree = await Promise.all(ports.map(isFree));
      if (attempt === 3 || stillFree.every(Boolean)) throw error;
    }
  }
}
