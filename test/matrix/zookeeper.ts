import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Distribution } from "../../src/flink/distribution.ts";
import { graceMilliseconds, loopback, prepareHost, startFlink, untilReady } from "../../src/flink/flink-process.ts";
import { onFreePorts } from "../../src/flink/ports.ts";

/** What a JobManager needs to find its jobs again after it was killed: the ZooKeeper that Flink's own jar brings. */
export interface ZooKeeper extends AsyncDisposable {
  /** Flink's config for it. */
  readonly config: Readonly<Record<string, string>>;
}

export async function startZooKeeper(distribution: Distribution, folder: string): Promise<ZooKeeper> {
  const host = await prepareHost(distribution, folder, process.env);
  const dataFolder = join(folder, "data");
  await mkdir(dataFolder, { recursive: true });
  return await onFreePorts(3, async ([port = 0, peer = 0, leader = 0]) => {
    const file = join(folder, "zoo.cfg");
    const settings = [
      "tickTime=2000",
      `dataDir=${dataFolder}`,
      `clientPort=${port}`,
      `clientPortAddress=${loopback}`,
      "admin.enableServer=false",
      `server.1=${loopback}:${peer}:${leader}`,
    ];
    await writeFile(file, `${settings.join("\n")}\n`);
    const started = await startFlink(host, {
      name: "zookeeper",
      mainClass: "org.apache.flink.runtime.zookeeper.FlinkZooKeeperQuorumPeer",
      args: ["--zkConfigFile", file, "--peerId", "1"],
      heapMegabytes: 128,
    });
    try {
      await untilReady(started, () => listens(port), undefined);
    } catch (error) {
      await started.process.stop(0);
      throw error;
    }
    return {
      config: {
        "high-availability.type": "zookeeper",
        "high-availability.zookeeper.quorum": `${loopback}:${port}`,
        "high-availability.storageDir": pathToFileURL(join(folder, "ha")).href,
        // Seconds count: a JobManager that was killed holds its leadership until its session ends.
        "high-availability.zookeeper.client.session-timeout": "4000",
      },
      [Symbol.asyncDispose]: async () => {
        await started.process.stop(graceMilliseconds);
      },
    };
  });
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, loopback);
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => socket.destroy());
    socket.once("connect", () => socket.destroy());
  });
}
