import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { createServer } from "node:tls";
import { type Certificate, pem } from "./certificates.ts";

/** TLS in front of a plain service on loopback. */
export interface TlsFront extends AsyncDisposable {
  readonly url: string;
}

export interface TlsFrontOptions extends Certificate {
  /** Of the service behind it. */
  readonly url: string;
  /** Where given, a client has to show a certificate that this one signed; a path. */
  readonly clientCa?: string;
}

export async function tlsFront({ url, cert, key, clientCa }: TlsFrontOptions): Promise<TlsFront> {
  const { port, hostname } = new URL(url);
  const asks = clientCa === undefined ? {} : { ca: pem(clientCa), requestCert: true, rejectUnauthorized: true };
  const open = new Set<{ destroy(): void }>();
  const server = createServer({ cert: pem(cert), key: pem(key), ...asks }, (client) => {
    const behind = connect(Number(port), hostname);
    for (const socket of [client, behind]) {
      open.add(socket);
      socket
        .on("error", () => undefined)
        .on("close", () => {
          open.delete(socket);
          client.destroy();
          behind.destroy();
        });
    }
    client.pipe(behind).pipe(client);
  });
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
