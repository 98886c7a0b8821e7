import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { megabytes } from "./megabytes.ts";

/**
 * A file's text, where it is a file and no longer than that: a device or a pipe never ends, and a change's author may have
 * put a link to one in its place. Throws a plain Error that names the path, also where there is none.
 */
export async function readText(path: string, maxBytes: number): Promise<string> {
  return (await readBytes(path, maxBytes)).toString("utf8");
}

/** The same as bytes. */
export async function readBytes(path: string, maxBytes: number): Promise<Buffer> {
  // A pipe that nobody writes into would otherwise be waited for, in a thread that nothing can end.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new Error(`${path} is no file`);
    // Not read at all, where its size tells; files of /proc have none.
    if (found.size > maxBytes) throw tooLarge(path, maxBytes);
    const chunks: Buffer[] = [];
    for (let size = 0; ; ) {
      const chunk = Buffer.alloc(
        Math.min(Math.max(found.size - size + 1, leastChunk), maxBytes + 1 - size, largestChunk),
      );
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) return Buffer.concat(chunks);
      size += bytesRead;
      if (size > maxBytes) throw tooLarge(path, maxBytes);
      chunks.push(chunk.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

/** The last so many bytes of a file of ours as text. */
export async function readTail(
  path: string,
  maxBytes: number,
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const tail = Buffer.alloc(Math.min(size, maxBytes));
    const { bytesRead } = await handle.read(tail, 0, tail.length, size - tail.length);
    return { text: tail.toString("utf8", 0, bytesRead), isWhole: size <= maxBytes };
  } finally {
    await handle.close();
  }
}

const [leastChunk, largestChunk] = [64 * 1024, 4 * 1024 * 1024];

function tooLarge(path: string, maxBytes: number): Error {
  return new Error(`${path} is larger than ${megabytes(maxBytes)}`);
}

/** Whether an error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "ENOENT";
}
