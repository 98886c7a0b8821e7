import type { StoreFaultKind } from "./faulty-store.ts";

/** What a fault's number counts: the requests of a run, or the writes to its store. */
export type Fault =
  | { readonly group: "crash"; readonly title: string; readonly counts: "requests" }
  | { readonly group: "network"; readonly title: string; readonly counts: "requests" }
  | { readonly group: "process"; readonly title: string; readonly counts: "requests" }
  | { readonly group: "store"; readonly title: string; readonly counts: "writes"; readonly store: StoreFaultKind }
  | { readonly group: "disk"; readonly title: string; readonly counts: "writes" };

const crash = (title: string) => ({ group: "crash", title, counts: "requests" }) as const;
const network = (title: string) => ({ group: "network", title, counts: "requests" }) as const;
const process = (title: string) => ({ group: "process", title, counts: "requests" }) as const;
const store = (kind: StoreFaultKind, title: string) =>
  ({ group: "store", title, counts: "writes", store: kind }) as const;

/** By the name that points have; in the order of the table. */
export const faults = {
  before: crash("killed before the request is sent"),
  "after-send": crash("killed after it is sent, before the answer"),
  "after-answer": crash("killed after the answer"),
  reset: network("connection reset, request lost"),
  "reset-answer": network("connection reset, answer lost"),
  hang: network("no answer, request arrived"),
  half: network("half an answer"),
  "status-500": network("status 500 from here on"),
  "some-500": network("status 500, three times"),
  "die-before": store("die-before", "killed before the write"),
  "die-after": store("die-after", "killed after the write"),
  "fail-before": store("fail-before", "the write fails"),
  "fail-after": store("fail-after", "the write is not confirmed"),
  "disk-full": { group: "disk", title: "the disk is full", counts: "writes" },
  gateway: process("gateway killed and started again"),
  taskmanager: process("TaskManager killed, another started"),
  jobmanager: process("JobManager killed, another without its memory"),
  "jobmanager-ha": process("JobManager killed, another with its memory"),
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof faults;

export const faultNames = Object.keys(faults) as readonly FaultName[];
