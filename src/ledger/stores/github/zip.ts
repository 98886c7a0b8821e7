import { crc32 } from "node:zlib";
import { DeployError, describeError } from "../../../errors.ts";
import { unpack } from "../unpack.ts";

const endSignature = Buffer.from([0x50, 0x4b, 0x05, 0x06]);
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;

/**
 * The text of a zip archive's one file. GitHub serves every artifact as such an archive. Sizes are taken from the
 * directory at its end, since they are 0 before a file that was streamed. Throws `ledger-unreadable`, also where the
 * archive was cut short, or where the file is larger than `maxBytes`. Pure.
 */
export function readZip(archive: Buffer, where: string, maxBytes?: number): string {
  const damaged = (why: string): DeployError => new DeployError("ledger-unreadable", `${where} is damaged: ${why}`);
  try {
    const end = archive.lastIndexOf(endSignature);
    if (end < 0) throw damaged("it has no directory");
    if (end + 22 + archive.readUInt16LE(end + 20) !== archive.byteLength) throw damaged("it was cut short");
    if (archive.readUInt16LE(end + 10) !== 1) throw damaged(`it holds ${archive.readUInt16LE(end + 10)} files, not 1`);
    const entry = archive.readUInt32LE(end + 16);
    if (archive.readUInt32LE(entry) !== entrySignature) throw damaged("its directory has no entry");
    const method = archive.readUInt16LE(entry + 10);
    const checksum = archive.readUInt32LE(entry + 16);
    const size = archive.readUInt32LE(entry + 20);
    const local = archive.readUInt32LE(entry + 42);
    if (archive.readUInt32LE(local) !== localSignature) throw damaged("its file is not where the directory says");
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const packed = archive.subarray(start, start + size);
    if (method !== 0 && method !== 8) throw damaged(`its file is packed by method ${method}`);
    const content = method === 0 ? packed : unpack(packed, "deflate", maxBytes);
    if (crc32(content) !== checksum) throw damaged("its checksum does not match");
    return content.toString("utf8");
  } catch (cause) {
    if (cause instanceof DeployError) throw cause;
    const why = `it is not a whole zip archive (${describeError(cause)})`;
    throw new DeployError("ledger-unreadable", `${where} is damaged: ${why}`, { cause });
  }
}
