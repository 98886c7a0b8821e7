import { DeployError, describeError, type ErrorCode } from "../../../errors.ts";

/** Those that say more than that a write is not known to be stored. */
const telling: readonly ErrorCode[] = ["lock-held", "store-unconfirmed", "ledger-lost", "inputs-invalid"];

/** A write: whatever it fails of, it is not confirmed. */
export async function confirming<T>(where: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    if (cause instanceof DeployError && telling.includes(cause.code)) throw cause;
    const message = `a write to the ledger in ${where} is not confirmed: ${describeError(cause)}`;
    throw new DeployError("store-unconfirmed", message, { cause });
  }
}
