import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { Agent, type Dispatcher } from "undici";
import { DeployError, describeError } from "../errors.ts";

/** PEM texts; null where the user gave none. `cert` and `key` come together. */
export interface TlsFiles {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

/** What speaks TLS with these files, or null where there are none. Throws `inputs-invalid` where one cannot be used. */
export function tlsDispatcher({ ca, cert, key }: TlsFiles): Dispatcher | null {
  if (ca === null && cert === null) return null;
  const certificates = ca === null ? [] : certificatesIn(ca);
  if (ca !== null && certificates.length === 0) throw unusable("tls-ca", "holds no certificate in PEM");
  for (const certificate of certificates) parsed(certificate, "tls-ca");
  if (cert !== null) parsed(certificatesIn(cert)[0] ?? "", "tls-cert");
  const context = {
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
  };
  try {
    createSecureContext(context);
  } catch (cause) {
    throw unusable("tls-key", `is no key for tls-cert, or has a passphrase (${describeError(cause)})`, cause);
  }
  return new Agent({ connect: context });
}

function certificatesIn(pem: string): readonly string[] {
  return pem.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? [];
}

function parsed(pem: string, input: string): void {
  try {
    new X509Certificate(pem);
  } catch (cause) {
    throw unusable(input, `holds no certificate in PEM (${describeError(cause)})`, cause);
  }
}

function unusable(input: string, why: string, cause?: unknown): DeployError {
  return new DeployError("inputs-invalid", `${input}: ${why}`, { cause });
}

/** What a failed handshake means and what to do, by the code of Node or OpenSSL; null where it was none. */
export function handshakeProblem(code: string, message: string): string | null {
  switch (code) {
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "CERT_SIGNATURE_FAILURE":
    case "CERT_UNTRUSTED":
      return `its certificate is signed by nobody who is trusted here (${code}): give the right CA as tls-ca`;
    case "CERT_HAS_EXPIRED":
      return `its certificate has expired (${code}): have it renewed`;
    case "CERT_NOT_YET_VALID":
      return `its certificate is not valid yet (${code}): look at the clocks`;
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `its certificate is for another host (${code}): take a name that the certificate has`;
  }
  if (/^ERR_SSL_(SSLV3|TLSV1|TLSV13)_ALERT_|alert (number )?(40|42|43|44|45|46|48|116)\b/.test(`${code} ${message}`)) {
    return `it refuses our certificate, or asks for one (${code}): give the right tls-cert and tls-key`;
  }
  if (/^(EPROTO|ERR_SSL_)/.test(code)) return `it does not speak TLS (${code}): is it at http:// instead`;
  return null;
}
