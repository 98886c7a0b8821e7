import type { JavaError } from "./java-error.ts";

/** What a statement comes to. */
export type Outcome =
  | {
      readonly kind: "rows";
      readonly columns: readonly string[];
      readonly rows: readonly (readonly unknown[])[];
      readonly jobId: string | null;
    }
  | { readonly kind: "error"; readonly error: JavaError };

export const ok: Outcome = { kind: "rows", columns: ["result"], rows: [["OK"]], jobId: null };
export const rows = (columns: readonly string[], found: readonly (readonly unknown[])[]): Outcome => ({
  kind: "rows",
  columns,
  rows: found,
  jobId: null,
});
export const failed = (error: JavaError): Outcome => ({ kind: "error", error });
