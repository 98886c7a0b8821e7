import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const size = 1024 * 1024;

/** A small disk of its own, in memory, that can be full: mounted, so only where this process may mount. */
export class Disk {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static isPossible(): boolean {
    return process.platform === "linux" && process.getuid?.() === 0;
  }

  static mount(folder: string): Disk {
    mkdirSync(folder, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder]);
    return new Disk(folder);
  }

  /** Leaves room for this many more files: each of the ledger's is smaller than a block. */
  leave(files: number): void {
    const { bsize, bavail } = statfsSync(this.#folder);
    writeFileSync(this.#filler, Buffer.alloc((bavail - files) * bsize));
  }

  free(): void {
    rmSync(this.#filler, { force: true });
  }

  unmount(): void {
    execFileSync("umount", [this.#folder]);
  }

  get #filler(): string {
    return join(this.#folder, "filler");
  }
}
