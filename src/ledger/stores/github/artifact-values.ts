import type { ListedArtifact } from "./artifact-list.ts";
import { type KeptValue, packValue, type Snapshot } from "./snapshot.ts";

type Values = Snapshot["values"];

/** What a write starts from. */
export interface Base {
  readonly snapshot: Snapshot;
  /** Null where there is none. */
  readonly artifact: ListedArtifact | null;
}

/** The values of the next upload, and those of them that this run answers for from then on. */
export interface NextValues {
  readonly values: Values;
  readonly own: Values;
}

export interface ArtifactValuesOptions {
  readonly now: () => Date;
  /** Null where the artifact is gone. */
  readonly download: (artifact: number) => Promise<Snapshot | null>;
}

/**
 * In which artifact each value is. All that this run added are in each of its uploads, since it deletes the older ones;
 * others stay where they are, and move into the next upload before the artifact that holds them expires.
 */
export class ArtifactValues {
  readonly #options: ArtifactValuesOptions;
  readonly #elsewhere = new Map<number, Snapshot>();
  #own: Values = new Map();

  constructor(options: ArtifactValuesOptions) {
    this.#options = options;
  }

  /** The value itself; null where the artifact that holds it is gone. Throws `ledger-unreadable`. */
  async follow(value: KeptValue, key: string): Promise<Extract<KeptValue, { readonly kind: "here" }> | null> {
    if (value.kind === "here") return value;
    const { artifact } = value;
    const snapshot = this.#elsewhere.get(artifact) ?? (await this.#options.download(artifact));
    if (snapshot === null) return null;
    this.#elsewhere.set(artifact, snapshot);
    const found = snapshot.values.get(key);
    return found?.kind === "here" ? found : null;
  }

  async next({ snapshot, artifact }: Base, added: ReadonlyMap<string, string>): Promise<NextValues> {
    const own = new Map(this.#own);
    for (const [key, text] of added) own.set(key, packValue(text));
    const elsewhere = new Map<string, KeptValue>();
    for (const [key, value] of snapshot.values) {
      if (own.has(key) || artifact === null) continue;
      const link = value.kind === "elsewhere" ? value : linkTo(artifact);
      // What is gone already cannot be moved; the link tells whoever needs it where it was.
      const moved = this.#isDue(link.renewFrom) ? await this.follow(value, key) : null;
      if (moved === null) elsewhere.set(key, link);
      else own.set(key, moved);
    }
    return { values: new Map([...elsewhere, ...own]), own };
  }

  /** The upload with these is confirmed. */
  keep({ own }: NextValues): void {
    this.#own = own;
  }

  /** Whether the ledger, or a value that it refers to, expires within a third of its time. */
  isAnyDue(snapshot: Snapshot, artifact: ListedArtifact): boolean {
    const links = [...snapshot.values.values()].filter((value) => value.kind === "elsewhere");
    return [linkTo(artifact), ...links].some(({ renewFrom }) => this.#isDue(renewFrom));
  }

  #isDue(renewFrom: string): boolean {
    return this.#options.now().getTime() >= Date.parse(renewFrom);
  }
}

function linkTo({ id, createdAt, expiresAt }: ListedArtifact): Extract<KeptValue, { readonly kind: "elsewhere" }> {
  const [from, to] = [Date.parse(createdAt), Date.parse(expiresAt)];
  return { kind: "elsewhere", artifact: id, renewFrom: new Date(to - (to - from) / 3).toISOString() };
}
