import * as zlib from "node:zlib";
import { megabytes } from "../../flink/megabytes.ts";
import { largestFile } from "./github/largest-file.ts";

export type Packing = "gzip" | "deflate" | "zstd";

/** What was packed; throws a plain Error where it is damaged, or too much. */
export function unpack(packed: Buffer, packing: Packing, maxBytes = largestFile): Buffer {
  const limit = { maxOutputLength: maxBytes };
  try {
    switch (packing) {
      case "gzip":
        return zlib.gunzipSync(packed, limit);
      case "deflate":
        return zlib.inflateRawSync(packed, limit);
      case "zstd":
        if (typeof zlib.zstdDecompressSync !== "function") throw new Error("zstd needs Node 22.15 or newer");
        return zlib.zstdDecompressSync(packed, limit);
    }
  } catch (error) {
    const isTooMuch = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    throw isTooMuch ? new Error(`it unpacks to more than ${megabytes(maxBytes)}`) : error;
  }
}
