import { join } from "node:path";
import { type FlinkProgram, loopback } from "./flink-process.ts";

const jobManagerHeapMegabytes = 512;
const taskManagerHeapMegabytes = 512;
const frameworkHeapMegabytes = 128;

export function jobManagerProgram(folder: string): FlinkProgram {
  return {
    name: "jobmanager",
    mainClass: "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
    args: ["--configDir", join(folder, "conf")],
    heapMegabytes: jobManagerHeapMegabytes,
  };
}

/** `id` is what the JobManager's REST calls it, and the name of its log. */
export function taskManagerProgram(folder: string, id: string): FlinkProgram {
  return {
    name: id,
    mainClass: "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
    args: ["--configDir", join(folder, "conf"), "-D", `taskmanager.resource-id=${id}`],
    heapMegabytes: taskManagerHeapMegabytes,
  };
}

/** What a small cluster on one machine needs other than Flink's defaults; the user's config goes before it. */
export function clusterDefaults(slots: number): Readonly<Record<string, string>> {
  return {
    // Flink's scripts work these out from the size of the process; started without them, all must be given.
    "taskmanager.cpu.cores": `${slots}.0`,
    "taskmanager.memory.framework.heap.size": `${frameworkHeapMegabytes}m`,
    "taskmanager.memory.task.heap.size": `${taskManagerHeapMegabytes - frameworkHeapMegabytes}m`,
    "taskmanager.memory.framework.off-heap.size": "128m",
    "taskmanager.memory.task.off-heap.size": "0m",
    "taskmanager.memory.network.min": "64m",
    "taskmanager.memory.network.max": "64m",
    "taskmanager.memory.managed.size": "256m",
    "taskmanager.memory.jvm-metaspace.size": "256m",
    "taskmanager.memory.jvm-overhead.min": "192m",
    "taskmanager.memory.jvm-overhead.max": "192m",
    // Lost connections are seen within seconds; the time limit stays Flink's, for a machine under load.
    "heartbeat.interval": "1000",
    // A TaskManager is often up before its JobManager, and would sleep for 10 s after its first try.
    "cluster.registration.error-delay": "200",
    "cluster.registration.refused-registration-delay": "1000",
  };
}

export interface ClusterPorts {
  readonly rest: number;
  readonly rpc: number;
}

/** What holds the processes together and inside the machine; nothing goes before it. */
export function clusterAddress(ports: ClusterPorts, slots: number): Readonly<Record<string, string>> {
  return {
    "jobmanager.rpc.address": loopback,
    "jobmanager.rpc.port": String(ports.rpc),
    "jobmanager.bind-host": loopback,
    "taskmanager.host": loopback,
    "taskmanager.bind-host": loopback,
    "taskmanager.numberOfTaskSlots": String(slots),
    "rest.address": loopback,
    "rest.bind-address": loopback,
    "rest.port": String(ports.rest),
    "rest.bind-port": String(ports.rest),
  };
}
