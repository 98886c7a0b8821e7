import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Gateway } from "../../../src/flink/gateway.ts";
import { JobManager } from "../../../src/flink/jobmanager.ts";
import { tlsDispatcher } from "../../../src/flink/tls.ts";
import { type Certificate, CertificateAuthority, pem } from "../../fakes/certificates.ts";
import { FakeFlink } from "../../fakes/fake-flink.ts";
import { type TlsFrontOptions, tlsFront } from "../../fakes/tls-front.ts";
import { json, serve } from "./stub-server.ts";

let authority: CertificateAuthority;
let stranger: CertificateAuthority;
let server: Certificate;
let client: Certificate;
beforeAll(() => {
  authority = new CertificateAuthority();
  stranger = new CertificateAuthority();
  server = authority.sign({ name: "server", for: "IP:127.0.0.1" });
  client = authority.sign({ name: "client" });
});
afterAll(() => {
  authority[Symbol.dispose]();
  stranger[Symbol.dispose]();
});

const trusting = (ca: string | null, own: Certificate | null = null) => {
  const [cert, key] = own === null ? [null, null] : [pem(own.cert), pem(own.key)];
  const dispatcher = tlsDispatcher({ ca: ca === null ? null : pem(ca), cert, key });
  return dispatcher === null ? {} : { dispatcher };
};

/** What the gateway says of itself to a client, or the error. */
async function reached(front: Omit<TlsFrontOptions, "url">, options: ReturnType<typeof trusting>): Promise<unknown> {
  await using flink = await FakeFlink.start();
  await using secured = await tlsFront({ url: flink.gatewayUrl, ...front });
  const gateway = new Gateway({ url: secured.url, sleep: async () => {}, ...options });
  return await gateway.info().catch((error: unknown) => error);
}

describe("a gateway behind TLS", () => {
  test("is reached with its CA", async () => {
    expect(await reached(server, trusting(authority.ca))).toEqual({ productName: "Apache Flink", version: "1.20.3" });
  });

  test("and so is the JobManager, with a client certificate", async () => {
    await using flink = await FakeFlink.start();
    await using secured = await tlsFront({ url: flink.jobmanagerUrl, ...server, clientCa: authority.ca });
    const jobmanager = new JobManager({ url: secured.url, ...trusting(authority.ca, client) });
    expect(await jobmanager.config()).toMatchObject({ version: "1.20.3" });
  });

  test("that nobody here trusts is refused, and so is one that another CA signed", async () => {
    for (const options of [trusting(null), trusting(stranger.ca)]) {
      expect(await reached(server, options)).toMatchObject({
        code: "gateway-unreachable",
        message: expect.stringMatching(/signed by nobody who is trusted here \(\w+\): give the right CA as tls-ca/),
      });
    }
  });

  test("whose certificate has expired is refused", async () => {
    const old = authority.sign({ name: "old", for: "IP:127.0.0.1", isExpired: true });
    expect(await reached(old, trusting(authority.ca))).toMatchObject({
      code: "gateway-unreachable",
      message: expect.stringContaining("its certificate has expired (CERT_HAS_EXPIRED): have it renewed"),
    });
  });

  test("whose certificate is another host's is refused", async () => {
    const other = authority.sign({ name: "other", for: "DNS:flink.example" });
    expect(await reached(other, trusting(authority.ca))).toMatchObject({
      code: "gateway-unreachable",
      message: expect.stringContaining("its certificate is for another host"),
    });
  });

  test("that asks for a client certificate says so to one that has none, or a stranger's", async () => {
    const unknown = stranger.sign({ name: "client" });
    for (const own of [null, unknown]) {
      expect(await reached({ ...server, clientCa: authority.ca }, trusting(authority.ca, own))).toMatchObject({
        code: "gateway-unreachable",
        message: expect.stringMatching(/asks for .*give the right tls-cert and tls-key/),
      });
    }
  });

  test("is told from one that speaks plain HTTP, where https is written", async () => {
    await using flink = await FakeFlink.start();
    const gateway = new Gateway({ url: flink.gatewayUrl.replace("http:", "https:"), sleep: async () => {} });
    await expect(gateway.info()).rejects.toMatchObject({
      code: "gateway-unreachable",
      message: expect.stringContaining("it does not speak TLS"),
    });
  });
});

describe("files that cannot be used are inputs-invalid, and not shown", () => {
  const none = { ca: null, cert: null, key: null };
  const open = (files: Parameters<typeof tlsDispatcher>[0]) => () => tlsDispatcher(files);

  test("nothing is asked for without them", () => expect(tlsDispatcher(none)).toBeNull());

  test.each(["", "hunter2", "-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----\n"])("%j", (text) => {
    for (const files of [
      { ...none, ca: text },
      { ...none, cert: text, key: pem(client.key) },
    ]) {
      expect(open(files)).toThrow(
        expect.objectContaining({
          code: "inputs-invalid",
          message: expect.stringContaining("holds no certificate in PEM"),
        }),
      );
      expect(open(files)).not.toThrow("hunter2");
    }
  });

  test("a key of another certificate", () => {
    expect(open({ ...none, cert: pem(client.cert), key: pem(server.key) })).toThrow(
      expect.objectContaining({
        code: "inputs-invalid",
        message: expect.stringMatching(/^tls-key: is no key for tls-cert/),
      }),
    );
  });
});

describe("a redirect", () => {
  test.each([301, 302, 307, 308])("of status %s is not followed: no token reaches another host", async (status) => {
    await using thief = await serve(json({ productName: "Apache Flink", version: "1.20.3" }));
    await using flink = await serve((_, response) => {
      response.writeHead(status, { location: `${thief.url}/v1/info?code=geheim` }).end();
    });
    const headers = { authorization: "Bearer a-token" };
    const [gateway, jobmanager] = [
      new Gateway({ url: flink.url.replace("://", "://user:pass@"), headers }),
      new JobManager({ url: flink.url, headers }),
    ];
    const told = `it leads to ${thief.url}/v1/info, and what is sent stays with one host`;
    await expect(gateway.info()).rejects.toMatchObject({
      code: "not-a-gateway",
      message: expect.stringContaining(told),
    });
    await expect(gateway.openSession()).rejects.toMatchObject({ code: "not-a-gateway" });
    await expect(jobmanager.jobs()).rejects.toMatchObject({
      code: "jobmanager-unreachable",
      message: expect.stringContaining(told),
    });
    expect(thief.requests).toEqual([]);
  });
});
