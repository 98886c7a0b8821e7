import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startGuarded } from "../../../src/flink/process.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-process-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const start = (...[command = "", ...args]: string[]) =>
  startGuarded({ command, args, folder, environment: process.env, output: join(folder, "log") });
const output = () => readFileSync(join(folder, "log"), "utf8");

function isAlive(pid: number): boolean {
  // A zombie that nobody has reaped yet has ended.
  const status = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, "utf8") : "";
  return /^State:\s+[^ZX]/m.test(status);
}

describe("a guarded program", () => {
  test("gets its arguments as they are, and its exit code is known", async () => {
    const program = await start("/bin/sh", "-c", 'printf "%s|" "$@"; exit 3', "sh", "a b", "$HOME", "");
    expect(await program.exited).toEqual({ code: 3, signal: null });
    expect(output()).toBe("a b|$HOME||");
    expect(program.exit()).toEqual({ code: 3, signal: null });
  });

  test("is the process whose id is given", async () => {
    const program = await start("/bin/sh", "-c", "echo $$");
    await program.exited;
    expect(output()).toBe(`${program.pid}\n`);
  });

  test("that is not there ends with the shell's 127 and its words in the log", async () => {
    const program = await start("/no/such/program");
    expect(await program.exited).toEqual({ code: 127, signal: null });
    expect(output()).toContain("/no/such/program");
  });

  test("is asked to end first, and what it leaves behind ends with it", async () => {
    const script = 'trap "echo asked; exit 0" TERM; tail -f /dev/null & echo $!; wait';
    const program = await start("/bin/sh", "-c", script);
    await vi.waitFor(() => expect(output()).toMatch(/\d+\n/));
    expect(await program.stop(60_000)).toEqual({ code: 0, signal: null });
    expect(output()).toContain("asked");
    await vi.waitFor(() => expect(isAlive(Number.parseInt(output(), 10))).toBe(false));
  });

  test("that does not listen is killed with all it started", async () => {
    const program = await start("/bin/sh", "-c", 'trap "" TERM; tail -f /dev/null & echo $!; wait; wait');
    await vi.waitFor(() => expect(output()).toMatch(/\d+\n/));
    expect(await program.stop(1)).toEqual({ code: null, signal: "SIGKILL" });
    await vi.waitFor(() => expect(isAlive(Number(output()))).toBe(false));
  });

  test("may be stopped again after its end", async () => {
    const program = await start("/bin/true");
    await program.exited;
    expect(await program.stop(0)).toEqual({ code: 0, signal: null });
  });
});

describe.each([
  ["is killed by SIGKILL", "SIGKILL"],
  ["ends without a word", null],
] as const)("when our process %s", (_, signal) => {
  test("the program ends, and what it had started", async () => {
    const module = new URL("../../../src/flink/process.ts", import.meta.url).href;
    const script = `
      const { startGuarded } = await import(${JSON.stringify(module)});
      const program = await startGuarded({
        command: "/bin/sh", args: ["-c", "trap '' TERM HUP; tail -f /dev/null & echo $!; wait"],
        folder: ${JSON.stringify(folder)}, environment: process.env, output: ${JSON.stringify(join(folder, "log"))},
      });
      console.log(program.pid);
      process.stdin.once("data", () => process.exit(0));`;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", script]);
    const [line] = await once(parent.stdout, "data");
    const program = Number(line);
    await vi.waitFor(() => expect(output()).toMatch(/\d+\n/));
    const grandchild = Number(output());
    expect([program, grandchild].map(isAlive)).toEqual([true, true]);

    if (signal === null) parent.stdin.write("end\n");
    else parent.kill(signal);
    await once(parent, "exit");
    await vi.waitFor(() => expect([program, grandchild].map(isAlive)).toEqual([false, false]), { timeout: 10_000 });
  });
});
