/**
 * What a text of a ledger may have, in bytes, packed or not: with ten thousand entries and the programs of 500 jobs it is a
 * tenth of it. A thousandth of that in an archive could unpack to more than any memory holds, and no string of Node's may be
 * longer than twice as much.
 */
export const largestFile = 256 * 1024 * 1024;
