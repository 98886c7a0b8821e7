import { readText } from "../flink/read-text.ts";

/** GitHub cuts payloads at 25 MB. */
const maxEventBytes = 32 * 1024 * 1024;

/** The payload of the event that started a run, as text; throws a plain Error that says why not. */
export function readEventFile(path: string): Promise<string> {
  return readText(path, maxEventBytes);
}
