import type { Clock } from "./clock.ts";

/** What every kind of thing in the repository needs to know of where it is. */
export class Site {
  readonly repository: string;
  readonly repositoryId: number;
  readonly clock: Clock;
  /** `http://127.0.0.1:1234/api`, once the server listens. */
  api = "";
  readonly web = "https://github.com";
  #lastId = 2_000_000;

  constructor(options: { readonly repository: string; readonly repositoryId: number; readonly clock: Clock }) {
    this.repository = options.repository;
    this.repositoryId = options.repositoryId;
    this.clock = options.clock;
  }

  /** Ids of everything rise in the order in which it is made. */
  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** GitHub's times have whole seconds. */
  now(): string {
    return timestamp(this.clock.now);
  }

  /** A path below the repository in the API. */
  url(path: string): string {
    return `${this.api}/repos/${this.repository}${path}`;
  }

  page(path: string): string {
    return `${this.web}/${this.repository}${path}`;
  }
}

export function timestamp(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

/** An opaque id, as GraphQL has it. */
export function nodeId(kind: string, id: number): string {
  return `${kind}_${Buffer.from(String(id)).toString("base64url")}`;
}
