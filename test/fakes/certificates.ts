import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Wanted {
  readonly name: string;
  /** As in `subjectAltName`: `IP:127.0.0.1`. Unless given it is no server's. */
  readonly for?: string;
  readonly isExpired?: boolean;
}

/** A certificate authority of a test's own, made by openssl, with what it has signed in a folder that goes away. */
export class CertificateAuthority implements Disposable {
  readonly folder: string;
  /** The path of its own certificate. */
  readonly ca: string;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-ca-"));
    this.ca = this.#path("ca.pem");
    const key = [
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-keyout",
      this.#path("ca.key"),
    ];
    openssl("req", "-x509", ...key, "-out", this.ca, "-subj", "/CN=test authority", "-days", "2");
  }

  sign({ name, for: alternatives, isExpired = false }: Wanted): Certificate {
    const [cert, key, request, extensions] = ["pem", "key", "csr", "ext"].map((ending) =>
      this.#path(`${name}.${ending}`),
    );
    const made = { cert: cert ?? "", key: key ?? "" };
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", made.key];
    openssl("req", ...curve, "-out", request ?? "", "-subj", `/CN=${name}`);
    writeFileSync(extensions ?? "", alternatives === undefined ? "" : `subjectAltName=${alternatives}\n`);
    const authority = ["-CA", this.ca, "-CAkey", this.#path("ca.key"), "-CAcreateserial"];
    // From yesterday's end on.
    const days = ["-days", isExpired ? "-1" : "2"];
    openssl(
      "x509",
      "-req",
      "-in",
      request ?? "",
      ...authority,
      ...days,
      "-extfile",
      extensions ?? "",
      "-out",
      made.cert,
    );
    return made;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #path(name: string): string {
    return join(this.folder, name);
  }
}

export const pem = (path: string): string => readFileSync(path, "utf8");

function openssl(...words: readonly string[]): void {
  execFileSync("openssl", words, { stdio: ["ignore", "ignore", "pipe"] });
}
