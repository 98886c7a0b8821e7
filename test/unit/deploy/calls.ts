import type { Cluster, PreparedProgram } from "../../../src/deploy/cluster.ts";
import type { World } from "./environment.ts";

/** Counts a run's calls to the cluster and the store; `after` is told the count after each, and before each as it stands. */
export class Calls {
  #count = 0;
  readonly #after: (count: number) => void;

  constructor(after: (count: number) => void) {
    this.#after = after;
  }

  readonly tamper = ({ cluster, store }: World): World => {
    const names = ["jobs", "progress", "stop", "stopStatus", "lastSavepoint", "cancel", "checkpoint", "fence"] as const;
    const counted: Cluster = this.#around(cluster, names);
    return {
      store: this.#around(store, ["append"]),
      cluster: {
        ...counted,
        prepare: async (program): Promise<PreparedProgram> => {
          const prepared = await this.#call(() => cluster.prepare(program));
          return this.#around(prepared, ["submit"]);
        },
      },
    };
  };

  /** A process that has died does nothing any more, so it is asked before as well. */
  async #call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#count > 0) this.#after(this.#count);
    const result = await work();
    this.#count += 1;
    this.#after(this.#count);
    return result;
  }

  #around<T extends object>(target: T, names: readonly (keyof T)[]): T {
    const wrapped = { ...target };
    for (const name of names) {
      const method = target[name] as (...parameters: unknown[]) => Promise<unknown>;
      wrapped[name] = ((...parameters: unknown[]) => this.#call(() => method(...parameters))) as T[keyof T];
    }
    return wrapped;
  }
}
