import * as zlib from "node:zlib";
import { megabytes } from "../../flink/megabytes.ts";

/**
 * Of one text of a ledger: with ten thousand entries and the programs of 500 jobs a tenth of it. A thousandth of that in
 * an archive could unpack to more than any memory holds; and no string of Node's may be longer than twice as much.
 */
export const maxUnpackedBytes = 256 * 1024 * 1024;

export type Packing = "gzip" | "deflate" | "zstd";

/** What was packed; throws a plain Error where it is damaged, or too much. */
export function unpack(packed: Buffer, packing: Packing, maxBytes = maxUnpackedBytes): Buffer {
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
