import { type FlinkProgram, loopback } from "./flink-process.ts";

export const gatewayProgram: FlinkProgram = {
  name: "gateway",
  mainClass: "org.apache.flink.table.gateway.SqlGateway",
  args: [],
  heapMegabytes: 512,
};

/** Config of a gateway that listens on that port of this machine only. */
export function gatewayAddress(port: number): Readonly<Record<string, string>> {
  return {
    "sql-gateway.endpoint.rest.address": loopback,
    "sql-gateway.endpoint.rest.bind-address": loopback,
    "sql-gateway.endpoint.rest.port": String(port),
    // Without it the gateway takes the JobManager's rest.bind-port.
    "sql-gateway.endpoint.rest.bind-port": String(port),
  };
}
