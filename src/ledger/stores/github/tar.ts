import { DeployError, describeError } from "../../../errors.ts";
import { unpack } from "../unpack.ts";

const block = 512;

/**
 * The text of the one file in a tar archive, packed by gzip or zstd: what `saveCache` makes, by the tar and zstd of the
 * machine it runs on. It is read here, not unpacked, since it comes from elsewhere and may name any path. Throws
 * `ledger-unreadable`. Pure.
 */
export function readTar(packed: Buffer, where: string): string {
  const damaged = (why: string, cause?: unknown): DeployError =>
    new DeployError("ledger-unreadable", `${where} is damaged: ${why}`, { cause });
  let archive: Buffer;
  try {
    archive = unpacked(packed);
  } catch (cause) {
    throw damaged(`it cannot be unpacked (${describeError(cause)})`, cause);
  }
  const files: Buffer[] = [];
  for (let at = 0; at + block <= archive.byteLength && archive[at] !== 0; ) {
    const size = Number.parseInt(archive.toString("latin1", at + 124, at + 136), 8);
    const kind = archive.toString("latin1", at + 156, at + 157);
    if (!Number.isSafeInteger(size)) throw damaged("a file in it has no size");
    if (at + block + size > archive.byteLength) throw damaged("it was cut short");
    // Beside files there are folders, and headers of the POSIX format with names and times in full.
    if (kind === "0" || kind === "\0") files.push(archive.subarray(at + block, at + block + size));
    at += block + Math.ceil(size / block) * block;
  }
  const [file] = files;
  if (file === undefined || files.length > 1) throw damaged(`it holds ${files.length} files, not 1`);
  return file.toString("utf8");
}

function unpacked(packed: Buffer): Buffer {
  const isZstd = packed.readUInt32LE(0) === 0xfd2fb528;
  return unpack(packed, isZstd ? "zstd" : "gzip");
}
