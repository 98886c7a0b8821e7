/** What an artifact or a cache of ours may have, in bytes: far more than a ledger ever grows to. */
export const largestFile = 512 * 1024 * 1024;
